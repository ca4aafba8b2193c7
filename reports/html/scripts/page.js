
"use strict";
(() => {
  const root = document.documentElement;

  // The theme is the system's until the button is pressed. Storage may be refused for a file.
  const button = document.getElementById("theme");
  const remember = (theme) => { try { localStorage.setItem("report-theme", theme); } catch { /* not kept */ } };
  const recall = () => { try { return localStorage.getItem("report-theme"); } catch { return null; } };
  const system = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const showState = () => button.setAttribute("aria-pressed", String(isDark()));
  if (["dark", "light"].includes(recall())) root.dataset.theme = recall();
  button.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember(root.dataset.theme);
    showState();
  });
  system.addEventListener("change", showState);
  showState();
  button.hidden = false;

  // Tables: a header sorts upwards, then downwards, then back as it was. What is missing stays last.
  const collator = new Intl.Collator("en", { numeric: true });
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    return cell.querySelector(".absent") ? null : cell.textContent.trim();
  };
  const compare = (a, b) =>
    typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
  for (const table of document.querySelectorAll("table.sortable")) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const headers = [...table.tHead.rows[0].cells];
    headers.forEach((header, column) => {
      const sorter = document.createElement("button");
      sorter.type = "button";
      sorter.append(...header.childNodes);
      header.append(sorter);
      header.setAttribute("aria-sort", "none");
      sorter.addEventListener("click", () => {
        const next = { none: "ascending", ascending: "descending", descending: "none" }[header.getAttribute("aria-sort")];
        for (const other of headers) other.setAttribute("aria-sort", other === header ? next : "none");
        const sign = next === "descending" ? -1 : 1;
        const rows = original.map((row) => [valueOf(row, column), row]);
        if (next !== "none") {
          rows.sort(([a], [b]) => (a === null || b === null ? (a === null) - (b === null) : sign * compare(a, b)));
        }
        body.append(...rows.map(([, row]) => row));
      });
    });
  }

  // Show the chosen option only.
  for (const chooser of document.querySelectorAll(".chooser")) {
    const select = chooser.querySelector(".control select");
    if (!select) continue;
    const options = chooser.querySelectorAll(".option");
    const show = () => options.forEach((option, index) => { option.hidden = String(index) !== select.value; });
    select.addEventListener("change", show);
    chooser.querySelector(".control").hidden = false;
    show();
  }

  // While the sweep runs the page loads itself again, but not under somebody's hands.
  const progress = document.getElementById("progress");
  if (progress && progress.dataset.reload) {
    const pause = Number(progress.dataset.reload) * 1000;
    let touched = 0;
    for (const kind of ["pointermove", "keydown", "scroll", "input"]) {
      addEventListener(kind, () => { touched = Date.now(); }, { passive: true });
    }
    setInterval(() => {
      if (Date.now() - touched > 5000 && String(getSelection()) === "") location.reload();
    }, pause);
  }
})();
