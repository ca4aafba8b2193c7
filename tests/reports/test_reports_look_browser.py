"""What the page's script adds, in a real browser: marks, filters, pins, another baseline, curves, the address, copies."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace

import pytest
from helpers import pages
from helpers.html_reader import Read

from reports.html import page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
if CHROMIUM is None:
    pytest.skip("no chromium on this system", allow_module_level=True)

HOSTILE = "</script><b>bold</b>"
FINALS = {  # the means are 80.15, 85.1 and 70.1
    "lrn=true, width=1": (80.1, 80.2),
    "lrn=false, width=1": (85.0, 85.2),
    f"lrn={HOSTILE}, width=2": (70.0, 70.2),
}
LEVELS = dict(
    zip(FINALS, ({"lrn": True, "width": 1}, {"lrn": False, "width": 1}, {"lrn": HOSTILE, "width": 2}), strict=True)
)
MINUS, SAME = "\N{MINUS SIGN}", "\N{EN DASH}"
SHOWN = "() => [...document.querySelectorAll('#look tbody tr')].map((row) => row.checkVisibility())"


@pytest.fixture(scope="module")
def html() -> str:
    made = replace(pages.sweep("look", FINALS, 2), levels=LEVELS)
    frame = pages.variants.frame(made)
    return page.render(made, frame, pictures=pages.pictures(made, frame), details=pages.details(made, frame))


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser, html, tmp_path):
    """Opens the page, with what stands behind # in its address; at the end the console is empty."""
    (tmp_path / "report.html").write_text(html, encoding="utf-8")
    contexts, messages = [], []

    def opened(place: str = "", unfold: bool = True, **settings):
        context = browser.new_context(offline=True, accept_downloads=True, reduced_motion="reduce", **settings)
        contexts.append(context)
        shown = context.new_page()
        shown.on("console", lambda message: messages.append(message.text))
        shown.on("pageerror", lambda error: messages.append(str(error)))
        shown.goto((tmp_path / "report.html").as_uri() + (f"#{place}" if place else ""))
        if unfold:
            shown.evaluate("() => document.querySelectorAll('details.fold').forEach((each) => { each.open = true; })")
        return shown

    yield opened
    for context in contexts:
        context.close()
    assert messages == []


def differences(shown) -> list[str]:
    return shown.locator("#look tbody tr td:last-child").all_inner_texts()


def test_the_data_in_the_page_are_those_of_the_runs(html):
    text = next(text for tag, text in Read(html).texts if tag == "script")
    data = json.loads(text)
    assert "<" not in text  # nothing in it ends its element
    assert [variant["name"] for variant in data["variants"]] == list(FINALS)
    assert data["variants"][1]["accuracies"] == [85.0, 85.2] and data["variants"][1]["seeds"] == [0, 1]
    assert data["variants"][2]["levels"] == {"lrn": HOSTILE, "width": "2"}
    assert data["steps"] == [100, 200, 300] and data["baseline"] == 0
    kinds = {kind["label"]: kind for kind in data["curves"]}
    assert list(kinds) == ["test accuracy, averaged weights", "test accuracy, raw weights", "training loss"]
    first = kinds["test accuracy, averaged weights"]["trainings"][0]
    assert first == {"variant": 0, "seed": 0, "values": [40.05, 72.09, 80.1]}  # 0.5, 0.9 and 1.0 of 80.1
    assert kinds["training loss"]["trainings"][0]["values"] == [2.0, 1.2, 1.0]


def test_hovering_marks_the_same_variant_everywhere_and_says_its_values(open_page):
    shown = open_page()
    dot = shown.locator("#look tbody tr").nth(1).locator("[data-seed='1']")
    dot.scroll_into_view_if_needed()  # scrolling hides what is said
    shown.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )  # scrolling hides it
    dot.hover()
    tip = shown.locator("#tip")
    assert tip.is_visible()
    for text in ("lrn=false", "seed 1: 85.20 %", "85.10 ± 0.14 %, n = 2", "seed 0: 85.00"):  # sd of 85.0 and 85.2
        assert text in tip.inner_text()
    near = shown.evaluate(
        "() => [...document.querySelectorAll('.is-near')].map((each) => [each.closest('section').id, each.dataset.variant])"
    )
    assert {variant for _, variant in near} == {"1"}
    assert {"look", "variants", "trade_off", "curves"} <= {section for section, _ in near}
    shown.keyboard.press("Escape")
    assert tip.is_hidden() and shown.locator(".is-near").count() == 0


def test_a_point_of_the_trade_off_says_its_values_too(open_page):
    shown = open_page()
    point = shown.locator("#trade_off .panel svg [data-variant='2'] use").first
    point.scroll_into_view_if_needed()
    shown.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    point.hover(force=True)
    assert "70.10 ± 0.14 %, n = 2" in shown.locator("#tip").inner_text()


def test_a_level_is_hidden_everywhere_and_shown_again(open_page):
    shown = open_page()
    shown.locator("#look").get_by_role("group", name="width").get_by_label("2", exact=True).uncheck()
    assert shown.evaluate(SHOWN) == [True, True, False]
    visible = (
        "() => [...document.querySelectorAll('#trade_off .panel svg [data-variant=\"2\"]')]"
        ".some((each) => getComputedStyle(each).display !== 'none')"
    )
    assert not shown.evaluate(visible)
    assert shown.locator("#curves svg.curves-drawn path[data-variant='2']").count() == 0
    assert not any(shown.locator("#variants tr[data-variant='2']").nth(at).is_visible() for at in (0, 1))
    bar = shown.locator("#look-bar")
    assert bar.is_visible() and "1 of 3 variants hidden" in bar.inner_text()
    bar.get_by_role("button").click()
    assert shown.evaluate(SHOWN) == [True, True, True] and bar.is_hidden()
    assert shown.evaluate(visible)


def test_what_is_pinned_stays_whatever_is_hidden(open_page):
    shown = open_page()
    pin = shown.locator("#look tbody tr").nth(2).locator(".pin")
    pin.focus()
    shown.keyboard.press("Enter")
    assert pin.get_attribute("aria-pressed") == "true"
    shown.locator("#look").get_by_role("group", name="width").get_by_label("2", exact=True).uncheck()
    assert shown.evaluate(SHOWN) == [True, True, True]
    pin.click()
    assert shown.evaluate(SHOWN) == [True, True, False]


def test_another_baseline_is_descriptive(open_page):
    """85.1 - 80.15 = 4.95, 70.1 - 80.15 = -10.05; against the second: 80.15 - 85.1 and 70.1 - 85.1."""
    shown = open_page()
    assert differences(shown) == [SAME, "+4.95", f"{MINUS}10.05"]
    note = shown.locator("#look-descriptive")
    assert note.is_hidden()
    verdicts = shown.locator("#answer").inner_text()
    shown.locator("#look").get_by_label("Compare with").select_option(index=1)
    assert differences(shown) == [f"{MINUS}4.95", SAME, f"{MINUS}15.00"]
    assert note.inner_text().startswith("Descriptive:") and "no verdict" in note.inner_text()
    assert shown.locator("#answer").inner_text() == verdicts  # these are against the question's own
    shown.locator("#look").get_by_label("Compare with").select_option(index=0)
    assert note.is_hidden()


def test_the_address_keeps_what_was_chosen(open_page):
    shown = open_page()
    shown.locator("#look").get_by_role("group", name="lrn").get_by_label(HOSTILE).uncheck()
    shown.locator("#look").get_by_label("Compare with").select_option(index=1)
    shown.locator("#look tbody tr").nth(1).locator(".pin").click()
    shown.locator("#curves").get_by_role("button", name="Last half").click()
    address = shown.url.partition("#")[2]
    again = open_page(address, unfold=False)
    assert again.evaluate(SHOWN) == [True, True, False]  # the section is open: something is chosen in it
    assert differences(again) == [f"{MINUS}4.95", SAME, f"{MINUS}15.00"]
    assert again.locator("#look tbody tr").nth(1).locator(".pin").get_attribute("aria-pressed") == "true"
    assert "steps 200 to 300" in again.locator("svg.curves-drawn").get_attribute("aria-label")
    again.locator("nav.contents a[href='#curves']").click()  # a place in the page keeps it
    assert again.url.partition("#")[2].split("&")[0] == "curves" and "base=1" in again.url
    again.locator("#look-bar").get_by_role("button").click()
    assert "base" not in again.url and "hide" not in again.url


@pytest.mark.parametrize(
    "address", ["hide=%", "pin=99,-1,x", "base=1e3", "steps=9-1", "kind=%3Cb%3E", "hide=__proto__&pin=", "=&&=="]
)
def test_an_address_that_means_nothing_is_as_none(open_page, address):
    shown = open_page(address)
    assert shown.evaluate(SHOWN) == [True, True, True] and differences(shown) == [SAME, "+4.95", f"{MINUS}10.05"]


def test_curves_show_loss_kinds_single_trainings_and_a_window(open_page):
    shown = open_page()
    curves, drawn = shown.locator("#curves"), shown.locator("#curves svg.curves-drawn path[data-variant]")
    assert drawn.count() == 6  # three variants, raw and averaged
    curves.get_by_role("checkbox", name="raw weights").uncheck()
    assert drawn.count() == 3
    curves.get_by_label("every training").check()
    assert drawn.count() == 6  # three variants, two seeds
    curves.get_by_label("training loss").check()
    assert (
        shown.locator("svg.curves-drawn").get_attribute("aria-label") == "training loss of 3 variants, steps 100 to 300"
    )
    assert curves.get_by_role("checkbox", name="raw weights").is_disabled()
    curves.get_by_role("button", name="Closer").click()
    assert "steps 150 to 250" in shown.locator("svg.curves-drawn").get_attribute("aria-label")
    curves.get_by_role("button", name="Later steps").click()
    assert "steps 200 to 300" in shown.locator("svg.curves-drawn").get_attribute("aria-label")
    curves.get_by_role("button", name="Whole").click()
    assert "steps 100 to 300" in shown.locator("svg.curves-drawn").get_attribute("aria-label")
    assert curves.get_by_role("button", name="Whole").is_disabled()


def test_dragging_over_the_curves_looks_closer_and_the_nearest_point_is_named(open_page):
    shown = open_page()
    svg = shown.locator("svg.curves-drawn")
    svg.scroll_into_view_if_needed()
    box = svg.bounding_box()
    middle = box["y"] + box["height"] / 2
    shown.mouse.move(box["x"] + box["width"] * 0.6, middle)
    shown.mouse.down()
    shown.mouse.move(box["x"] + box["width"] - 1, middle, steps=4)
    shown.mouse.up()
    label = svg.get_attribute("aria-label")
    assert re.search(r"steps 2[0-3]\d to 300", label), label
    shown.locator("#curves").get_by_role("button", name="Whole").click()
    path = shown.locator("svg.curves-drawn path[data-variant='1']").first
    end = path.evaluate(
        "(path) => { const at = path.getPointAtLength(path.getTotalLength()), on = path.getScreenCTM();"
        " return [at.x * on.a + on.e, at.y * on.d + on.f]; }"
    )
    shown.mouse.move(end[0] - 2, end[1])
    tip = shown.locator("#tip").inner_text()
    assert "step 300: 85.10 %" in tip and "mean of n = 2" in tip


def test_tables_are_copied_as_markdown_and_latex(open_page):
    shown = open_page(permissions=["clipboard-read", "clipboard-write"])
    look = shown.locator("#look")
    look.get_by_role("group", name="lrn").get_by_label("true", exact=True).uncheck()
    look.get_by_role("button", name="Copy as Markdown").click()
    look.get_by_text("copied").wait_for()
    lines = shown.evaluate("() => navigator.clipboard.readText()").splitlines()
    assert lines[:2] == [
        "| variant | mean | trainings | difference to baseline, points |",
        "| :-- | --: | --: | --: |",
    ]
    assert lines[2] == "| lrn=false | 85.10 | 2 | +4.95 |" and len(lines) == 4  # what is hidden is left out
    assert r"\</script>\<b>bold\</b>" in lines[3]
    look.get_by_role("button", name="Copy as LaTeX").click()
    shown.wait_for_function("() => navigator.clipboard.readText().then((text) => text.includes('tabular'))")
    latex = shown.evaluate("() => navigator.clipboard.readText()")
    assert r"\begin{tabular}{lrrr}" in latex and r"lrn=false & 85.10 & 2 & +4.95 \\" in latex
    assert r"\textless{}/script\textgreater{}" in latex and r"\ensuremath{-}10.05" in latex


def test_the_data_of_tables_and_curves_are_saved_as_csv(open_page, tmp_path):
    shown = open_page()
    for button, name in (
        (
            shown.locator("#curves").get_by_role("button", name="Data of this picture (CSV)"),
            "curves.csv",
        ),
        (shown.locator("#look").get_by_role("button", name="Save as CSV"), "look.csv"),
        (shown.get_by_role("button", name="Data of these pictures (CSV)"), "costs.csv"),
    ):
        with shown.expect_download() as download:
            button.click()
        download.value.save_as(tmp_path / name)
    rows = list(csv.DictReader((tmp_path / "curves.csv").open(encoding="utf-8")))
    assert len(rows) == 3 * 2 * 3 * 3  # variants, seeds, curves, steps
    assert rows[0] == {
        "variant": "lrn=true, width=1",
        "seed": "0",
        "curve": "test accuracy, averaged weights",
        "step": "100",
        "value": "40.05",
    }
    costs = list(csv.DictReader((tmp_path / "costs.csv").open(encoding="utf-8")))
    assert len(costs) == 6 and costs[3]["test accuracy, %"] == "85.2"
    assert (costs[3]["parameters"], costs[3]["latency"]) == ("2000", "0.6")
    table = list(csv.DictReader((tmp_path / "look.csv").open(encoding="utf-8")))
    assert [row["mean"] for row in table] == ["80.15", "85.10", "70.10"]
    assert table[1]["difference to baseline, points"] == "+4.95"


def test_without_scripts_the_dots_and_the_picture_of_the_curves_are_there(open_page):
    shown = open_page(java_script_enabled=False, unfold=False)
    shown.locator("#look summary").click()
    assert shown.locator("#look [data-seed]").count() == 6 and shown.locator("#look [data-seed]").first.is_visible()
    assert shown.locator("#curves figure svg").is_visible()
    assert shown.locator(".tools, .look-panel, .curve-controls, #tip, #look-bar").count() == 0


def test_on_paper_there_are_the_curves_that_the_page_came_with(open_page):
    shown = open_page()
    shown.emulate_media(media="print")
    assert shown.locator("#curves figure svg").is_visible()
    assert not any(
        shown.locator(which).first.is_visible() for which in (".drawn-curves", ".tools", ".look-panel", "#look")
    )


def test_text_of_others_makes_no_element(open_page):
    shown = open_page()
    shown.locator("#look tbody tr").nth(2).locator("[data-seed]").first.hover()
    assert (
        shown.evaluate("() => [...document.querySelectorAll('b')].filter((b) => b.textContent === 'bold').length") == 0
    )
    assert HOSTILE in shown.locator("#look").inner_text()


def test_a_page_that_loads_itself_again_waits_while_somebody_is_at_it(browser, html, tmp_path):
    from reports.writers import progress

    path = tmp_path / "report.html"
    path.write_text(progress.marked(html, "4 of 6 runs have a result", is_running=True), encoding="utf-8")
    context = browser.new_context(offline=True)
    shown = context.new_page()
    loads = []
    shown.on("load", lambda: loads.append(1))
    shown.clock.install()
    shown.goto(path.as_uri() + "#pin=1")
    shown.clock.run_for(28_000)
    shown.mouse.move(100, 100)
    shown.clock.run_for(2_500)
    assert len(loads) == 1  # moved two seconds ago
    with shown.expect_event("load"):
        shown.clock.run_for(31_000)
    assert shown.url.endswith("#pin=1")
    context.close()
