"""The report's page in a real browser, from a file and without a network: what can be clicked does what it says."""

from __future__ import annotations

import re
import shutil

import pytest
from helpers import pages

from reports.html import page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
if CHROMIUM is None:
    pytest.skip("no chromium on this system", allow_module_level=True)

CONTRAST = """() => {
  const rgba = (color) => { const [r, g, b, a = 1] = color.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const light = (color) => rgba(color).slice(0, 3).map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, index) => sum + c * [0.2126, 0.7152, 0.0722][index], 0);
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if (rgba(color)[3] === 1) return color;
    }
    return "rgb(255, 255, 255)";
  };
  const poor = [];
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = words.nextNode(); node; node = words.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || element.closest("script, svg, option") || !element.checkVisibility()) continue;
    const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${element.outerHTML.slice(0, 80)}`);
  }
  return poor;
}"""
NAMES = (
    "() => [...document.querySelectorAll('#variants table')[0].tBodies[0].rows].map((row) => row.cells[0].innerText)"
)


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    made, frame = pages.several()
    path.write_text(
        page.render(made, frame, pictures=pages.pictures(made, frame), details=pages.details(made, frame)),
        encoding="utf-8",
    )
    return path.as_uri()


@pytest.fixture
def open_page(browser, address):
    """Opens the page with the context's settings; at the end nothing came from elsewhere, and the console is empty."""
    contexts, requested, messages = [], [], []

    def opened(**settings):
        context = browser.new_context(offline=True, **settings)
        contexts.append(context)
        shown = context.new_page()
        shown.on("request", lambda request: requested.append(request.url))
        shown.on("console", lambda message: messages.append(message.text))
        shown.on("pageerror", lambda error: messages.append(str(error)))
        shown.goto(address)
        return shown

    yield opened
    for context in contexts:
        context.close()
    assert requested and all(url.startswith(("file:", "data:")) for url in requested)
    assert messages == []


def test_the_table_is_sorted_by_click_and_by_key(open_page):
    _, frame = pages.several()
    shown = open_page()
    question = shown.evaluate(NAMES)
    names = dict(zip(frame["variant"], question, strict=True))  # the baseline's says that it is one
    header = shown.locator("#variants table").first.get_by_role("columnheader", name="test accuracy, %")

    def wanted(ascending: bool) -> list[str]:
        return [names[each] for each in frame.sort_values("accuracy_percent_mean", ascending=ascending)["variant"]]

    header.get_by_role("button").click()
    assert header.get_attribute("aria-sort") == "ascending"
    assert shown.evaluate(NAMES) == wanted(True)
    header.get_by_role("button").focus()
    shown.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    assert shown.evaluate(NAMES) == wanted(False)  # what is missing stays last
    shown.keyboard.press("Space")
    assert header.get_attribute("aria-sort") == "none"
    assert shown.evaluate(NAMES) == question


def test_another_column_takes_over(open_page):
    _, frame = pages.several()
    shown = open_page()
    table = shown.locator("#variants table").first
    table.get_by_role("button", name="test accuracy, %").click()
    table.get_by_role("button", name="verdict").click()
    assert [each for each in table.locator("[aria-sort]").evaluate_all("all => all.map((th) => th.ariaSort)")
            if each != "none"] == ["ascending"]  # fmt: skip
    order = ["helps", "hurts", "equivalent", "undecided", "none"]
    verdicts = [order.index(word) for word in frame["verdict"] if word in order]
    found = table.locator("tbody tr td:nth-child(2)").all_inner_texts()
    assert [word for word in found if word in order] == [order[each] for each in sorted(verdicts) if each < 4]


def test_the_axis_is_chosen_by_click_and_by_key(open_page):
    shown = open_page()
    panels = shown.locator("#trade_off .panel")
    assert [panels.nth(index).is_visible() for index in (0, 1)] == [True, False]
    shown.locator("#trade_off").get_by_text("latency", exact=True).click()
    assert [panels.nth(index).is_visible() for index in (0, 1)] == [False, True]
    assert shown.get_by_role("radio", name="latency").is_checked()
    shown.keyboard.press("ArrowLeft")
    assert shown.get_by_role("radio", name="parameters").is_checked()
    assert panels.first.is_visible()


def test_the_classes_of_a_variant_are_chosen(open_page):
    shown = open_page()
    shown.locator("#where summary").first.click()
    options = shown.locator("#where .option")
    assert options.count() == 6
    assert [options.nth(index).is_visible() for index in range(6)] == [True] + [False] * 5
    shown.locator("#where").get_by_label("Variant").select_option(label="width=2")
    assert [options.nth(index).is_visible() for index in range(6)] == [False, False, True, False, False, False]
    assert "width=2: accuracy on each class" in options.nth(2).inner_text()


def test_what_is_folded_opens(open_page):
    shown = open_page()
    terms = shown.locator("#glossary details")
    meaning = terms.get_by_text("Trained numbers in the network", exact=False)
    assert not meaning.is_visible()
    terms.locator("summary").focus()
    shown.keyboard.press("Enter")
    assert meaning.is_visible()
    sure = shown.locator("#answer details").first
    sure.locator("summary").click()
    assert "Shown at the 5\N{NO-BREAK SPACE}% level" in sure.inner_text()


def test_the_theme_turns_and_is_remembered(open_page):
    shown = open_page(color_scheme="light")
    ground = "() => getComputedStyle(document.body).backgroundColor"
    button, light = shown.get_by_role("button", name="Dark"), shown.evaluate(ground)
    assert button.get_attribute("aria-pressed") == "false"
    button.click()
    assert button.get_attribute("aria-pressed") == "true"
    dark = shown.evaluate(ground)
    assert dark != light
    shown.reload()
    assert shown.evaluate(ground) == dark
    shown.get_by_role("button", name="Dark").click()
    assert shown.evaluate(ground) == light


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_that_is_read_has_enough_contrast(open_page, scheme):
    shown = open_page(color_scheme=scheme)
    shown.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert shown.evaluate(CONTRAST) == []


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_itself_never_scrolls_sideways(open_page, width):
    shown = open_page(viewport={"width": width, "height": 740})
    shown.evaluate("() => document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert shown.evaluate("() => document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("settings", [{"width": 390, "height": 844}, {"width": 1280, "height": 800}])
def test_what_is_missing_and_the_answer_are_seen_without_scrolling(open_page, settings):
    shown = open_page(viewport=settings)
    for part in (".notice", ".lead", ".lead.more", ".choice"):
        box = shown.locator("#answer").locator(part).last.bounding_box()
        assert box and box["y"] + box["height"] <= settings["height"]


def test_without_scripts_all_is_there(open_page):
    shown = open_page(java_script_enabled=False)
    assert shown.locator(".verdicts .badge").first.is_visible()
    assert shown.locator("#variants table").first.locator("tbody tr").count() == len(pages.NAMES)
    assert shown.get_by_role("button").count() == 0  # nothing that would do nothing
    assert shown.locator("#where .option").evaluate_all("all => all.length") == 6
    shown.locator("#where summary").first.click()
    assert all(shown.locator("#where .option").nth(index).is_visible() for index in range(6))
    shown.locator("#trade_off").get_by_text("latency", exact=True).click()  # the choice of the axis needs none
    assert shown.locator("#trade_off .panel").nth(1).is_visible()


def test_every_part_is_reached_by_key_and_shows_it(open_page):
    shown = open_page()
    shown.keyboard.press("Tab")
    assert shown.evaluate("() => document.activeElement.textContent") == "Skip to the answer"
    reached = []
    for _ in range(40):
        reached.append(shown.evaluate("() => document.activeElement.tagName"))
        outline = shown.evaluate(
            "() => { const at = document.activeElement; const outlined = at.matches('.tabs input') ? at.labels[0] : at;"
            " return getComputedStyle(outlined).outlineStyle; }"
        )
        assert outline != "none", shown.evaluate("() => document.activeElement.outerHTML")
        shown.keyboard.press("Tab")
    assert {"A", "BUTTON", "SUMMARY", "INPUT", "DIV"} <= set(reached)


def test_on_paper_is_what_is_open_and_nothing_can_be_clicked(open_page):
    shown = open_page()
    shown.locator("#where summary").first.click()
    shown.emulate_media(media="print")
    assert shown.get_by_text("terms explained").is_visible()  # what is folded is a line
    assert not shown.get_by_text("Trained numbers in the network", exact=False).is_visible()
    assert shown.locator("#where .option").first.is_visible()
    assert not any(
        shown.locator(which).first.is_visible() for which in ("#theme", ".contents", "select", ".tabs label")
    )
    assert shown.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize(("variants", "most"), [(2, 3), (12, 8), (60, 15)])
def test_printed_pages_are_few(browser, tmp_path, variants, most):
    made, frame = pages.many(variants, 3)
    text = page.render(made, frame, pictures=pages.pictures(made, frame), details=pages.details(made, frame))
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    shown = browser.new_page()
    shown.goto((tmp_path / "report.html").as_uri())
    printed = shown.pdf(format="A4")
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", printed)) <= most
    assert variants > 12 or len(text) < 1_500_000
    shown.close()
