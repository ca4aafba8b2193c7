"""How long exported files take for one image, or for several: measured side by side in one session."""
