"""An SVG file with everything that a page must not take over."""

SVG = """<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="504pt" height="300pt">
 <metadata><format>http://purl.org/dc/dcmitype/StillImage</format></metadata>
 <defs><style>*{stroke-linecap: butt}</style><clipPath id="p1"><rect width="9" height="9"/></clipPath></defs>
 <script>alert(1)</script><image href="https://example.org/x.png" onload="alert(1)"/>
 <g id="g1" clip-path="url(#p1)" style="fill: #ffffff; stroke: #000000"><use xlink:href="#p1"/><text>a &lt; b</text></g>
</svg>"""
