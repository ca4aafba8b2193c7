// The controls of the variants: filter by level, pin, another baseline; and the dots of every training.
if (look) (() => {
  const { data, variants, varying, choices, element, button } = look;
  const section = document.getElementById("look");
  const table = section?.querySelector("table");
  if (!table) return;

  const toggle = (text, isOn, change, attributes = {}) => {
    const box = element("input", { type: "checkbox" });
    box.addEventListener("change", () => { change(box.checked); look.changed(); });
    look.onChange(() => { box.checked = isOn(); });
    return element("label", { title: text, ...attributes }, box, text);
  };
  const switched = (set, key) => (isOn) => (isOn ? set.delete(key) : set.add(key));
  const group = (title, ...controls) => element("fieldset", {}, element("legend", {}, title), ...controls);

  const groups = varying.map(({ name, levels }) => group(name, ...levels.map((level) => {
    const key = `${name}=${level}`;
    return toggle(level, () => !choices.hide.has(key), (isOn) => switched(choices.hide, key)(isOn));
  })));
  const isOneByOne = varying.length === 1 && varying[0].levels.length === variants.length;
  const singles = group("Single variants", ...variants.map((variant, index) => toggle(variant.label,
    () => !choices.hide.has(String(index)), (isOn) => switched(choices.hide, String(index))(isOn), { "data-variant": index })));
  const select = element("select", { id: "look-base" },
    ...variants.map(({ label }, index) => element("option", { value: index }, label + (index === data.baseline ? " (the baseline)" : ""))));
  select.addEventListener("change", () => {
    choices.base = Number(select.value) === data.baseline ? null : Number(select.value);
    look.changed();
  });
  const reset = () => {
    choices.hide.clear();
    choices.pin.clear();
    choices.base = null;
    choices.curves = {};
    look.changed();
  };
  const count = element("p", { class: "note", role: "status" });
  const panel = element("div", { class: "look-panel" },
    element("div", { class: "look-groups" }, ...groups, ...(isOneByOne ? [] : [singles])),
    element("p", {}, element("label", { for: "look-base" }, "Compare with "), select, " ",
      button("Show everything again", reset)), count);
  table.closest(".scroll").before(panel);

  // What is hidden is said wherever one reads.
  const bar = element("p", { id: "look-bar", hidden: true }, element("span"), " ", button("Show everything again", reset));
  document.body.append(bar);

  // --- the table: a pin, and the difference to what is compared with
  const header = element("th", { scope: "col" });
  table.tHead.rows[0].append(header);
  const rows = [...table.tBodies[0].rows].filter((row) => row.dataset.variant !== undefined);
  for (const row of rows) {
    const index = Number(row.dataset.variant);
    const pin = button("Pin", () => {
      if (!choices.pin.delete(index)) choices.pin.add(index);
      look.changed();
    }, { class: "pin", "aria-label": `Pin ${variants[index].label}` });
    row.cells[0].append(" ", pin);
    row.append(element("td"));
  }
  if (table.tFoot) table.tFoot.rows[0].append(element("td"));

  const note = element("p", { class: "notice", id: "look-descriptive", hidden: true });
  table.closest(".scroll").after(note);
  const base = () => choices.base ?? data.baseline;
  const signed = (value) => `${value < 0 ? "\u2212" : "+"}${look.two(Math.abs(value))}`;
  const meanOf = (index) => {
    const values = look.known(variants[index].accuracies);
    return values.length ? look.mean(values) : null;
  };

  // --- dots on the scale of what is shown
  const limits = () => {
    const values = variants.flatMap(({ accuracies }, index) => (look.isShown(index) ? look.known(accuracies) : []));
    const low = Math.min(...values), high = Math.max(...values);
    return high > low ? [low, high] : [low - 0.5, high + 0.5];
  };
  const percent = (value, [low, high]) => 4 + 92 * (value - low) / (high - low);
  const placeDots = () => {
    const ends = limits();
    if (!ends.every(Number.isFinite)) return;
    for (const dot of table.querySelectorAll("[data-seed]")) dot.setAttribute("cx", `${percent(Number(dot.dataset.value), ends)}%`);
    for (const tick of table.querySelectorAll(".mean-tick")) {
      for (const end of ["x1", "x2"]) tick.setAttribute(end, `${percent(Number(tick.dataset.value), ends)}%`);
    }
    const ticks = table.querySelectorAll("tfoot [data-end]");
    for (const tick of ticks) tick.textContent = look.two(ends[Number(tick.dataset.end)]);
  };

  look.onChange(() => {
    const shown = variants.filter((_, index) => look.isShown(index)).length;
    const hidden = variants.length - shown;
    count.textContent = hidden ? `${hidden} of ${variants.length} variants are hidden, in every table and picture.` : "";
    bar.hidden = !hidden;
    bar.firstChild.textContent = `${hidden} of ${variants.length} variants hidden`;
    select.value = String(base() ?? 0);
    const to = base();
    header.textContent = to === null ? "difference, points" : `difference to ${variants[to].label}, points`;
    for (const row of rows) {
      const own = meanOf(Number(row.dataset.variant)), other = to === null ? null : meanOf(to);
      const isSame = Number(row.dataset.variant) === to;
      row.cells[row.cells.length - 1].textContent = isSame || own === null || other === null ? "–" : signed(own - other);
      row.querySelector(".pin").setAttribute("aria-pressed", String(choices.pin.has(Number(row.dataset.variant))));
    }
    note.hidden = choices.base === null;
    note.textContent = choices.base === null ? "" : `Descriptive: differences of means to ${variants[choices.base].label}, chosen after the ` +
      "results were seen. They have no interval and no verdict; those on this page are against the question's own baseline.";
    if (choices.base !== null || choices.hide.size || choices.pin.size) section.querySelector("details.fold")?.setAttribute("open", "");
    placeDots();
  });
})();
