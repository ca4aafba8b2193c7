// The variants: which of them are shown and pinned, which is hovered over, and where that is kept, in the address.
// Text of others gets into the page as text only (textContent), never as HTML.
const look = (() => {
  const holder = document.getElementById("look-data");
  if (!holder) return null;
  const data = JSON.parse(holder.textContent);
  const variants = data.variants;
  const listeners = [];
  const choices = { hide: new Set(), pin: new Set(), base: null, curves: {} }; // hide: "factor=level", or the number of a variant
  let near = null;

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value === true) made.setAttribute(key, "");
      else if (value !== false && value !== null) made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  };
  const button = (text, action, attributes = {}) => {
    const made = element("button", { type: "button", ...attributes }, text);
    made.addEventListener("click", action);
    return made;
  };

  // The factors that vary, with their levels in the order in which they come; single variants where there is none.
  const factors = [];
  for (const variant of variants) {
    for (const [factor, level] of Object.entries(variant.levels)) {
      let known = factors.find((each) => each.name === factor);
      if (!known) factors.push(known = { name: factor, levels: [] });
      if (!known.levels.includes(level)) known.levels.push(level);
    }
  }
  const varying = factors.filter((each) => each.levels.length > 1);

  const isShown = (index) => choices.pin.has(index) || !(choices.hide.has(String(index)) ||
    Object.entries(variants[index].levels).some(([factor, level]) => choices.hide.has(`${factor}=${level}`)));
  const colors = 8;
  const colorOf = (index) => {
    if (variants.length <= colors) return `var(--series-${index})`;
    if (index === data.baseline) return "var(--ink)";
    const pinned = [...choices.pin].indexOf(index);
    if (pinned >= 0) return `var(--series-${pinned % colors})`;
    return index === near ? "var(--accent)" : "var(--line)";
  };

  // --- the address: "#curves&hide=lrn%3Dfalse&pin=2"; what stands first and has no "=" is a place in the page
  const place = () => location.hash.slice(1).split("&").find((part) => part && !part.includes("=")) ?? "";
  const list = (values) => [...values].map(encodeURIComponent).join(",");
  const write = () => {
    const parts = [place()];
    if (choices.hide.size) parts.push(`hide=${list(choices.hide)}`);
    if (choices.pin.size) parts.push(`pin=${list(choices.pin)}`);
    if (choices.base !== null) parts.push(`base=${choices.base}`);
    for (const [key, value] of Object.entries(choices.curves)) parts.push(`${key}=${encodeURIComponent(value)}`);
    const hash = parts.filter(Boolean).join("&");
    if (hash === location.hash.slice(1)) return;
    try { history.replaceState(null, "", `#${hash}`); } catch { /* shown inside another page: it is not kept */ }
  };
  const decoded = (text) => { try { return decodeURIComponent(text); } catch { return ""; } };
  const number = (text) => (/^\d{1,6}$/.test(text) && Number(text) < variants.length ? Number(text) : null);
  const read = () => {
    const given = Object.fromEntries(location.hash.slice(1).split("&").filter((part) => part.includes("="))
      .map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]));
    const known = new Set([...varying.flatMap(({ name, levels }) => levels.map((level) => `${name}=${level}`)),
      ...variants.keys()].map(String));
    choices.hide = new Set((given.hide ?? "").split(",").map(decoded).filter((each) => known.has(each)));
    choices.pin = new Set((given.pin ?? "").split(",").map(number).filter((each) => each !== null));
    choices.base = number(given.base ?? "");
    choices.curves = {};
    for (const key of ["kind", "steps", "each"]) if (given[key]) choices.curves[key] = decoded(given[key]);
  };

  const changed = () => { write(); mark(); for (const listener of listeners) listener(); };
  const mark = () => {
    for (const each of document.querySelectorAll("[data-variant]")) {
      const index = Number(each.dataset.variant);
      each.classList.toggle("is-out", !isShown(index));
      each.classList.toggle("is-pinned", choices.pin.has(index));
      each.classList.toggle("is-near", index === near);
    }
    document.documentElement.toggleAttribute("data-near", near !== null);
  };

  // --- which element is of which variant: rows and cards by their names; drawings say it themselves
  const plain = (text) => text.replace(/\u2212/g, "-").replace(/\s+/g, " ").trim();
  const byName = new Map();
  variants.forEach(({ name, label }, index) => {
    for (const each of [name, label, `${name} (baseline)`]) if (!byName.has(plain(each))) byName.set(plain(each), index);
  });
  const nameIn = (cell) => plain([...cell.childNodes].filter((node) => node.nodeName !== "SMALL")
    .map((node) => node.textContent).join(""));
  for (const header of document.querySelectorAll("tbody th[scope=row]")) {
    const row = header.parentElement;
    const index = byName.get(nameIn(header));
    if (index !== undefined && row.dataset.variant === undefined) row.dataset.variant = index;
  }
  for (const name of document.querySelectorAll(".verdicts .name")) {
    const item = name.closest("li");
    const index = byName.get(plain(name.title || name.textContent));
    if (item && index !== undefined) item.dataset.variant = index;
  }

  // --- hovering, or getting to it by key, marks the same variant everywhere
  const tip = element("div", { id: "tip", role: "tooltip", hidden: true });
  document.body.append(tip);
  const show = (lines, x, y) => {
    tip.replaceChildren(...lines.map((line, index) => element(index ? "span" : "b", {}, line)));
    tip.hidden = false;
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - width - 4))}px`;
    tip.style.top = `${y + 18 + height > innerHeight ? Math.max(4, y - height - 10) : y + 18}px`;
  };
  const hide = () => { tip.hidden = true; };
  const two = (value) => value.toFixed(2);
  const known = (values) => values.filter((value) => value !== null);
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const deviation = (values) => Math.sqrt(values.reduce((sum, value) => sum + (value - mean(values)) ** 2, 0) / (values.length - 1));
  const describe = (index) => {
    const { label, seeds, accuracies } = variants[index];
    const values = known(accuracies);
    if (!values.length) return [label, "no result yet"];
    const spread = values.length > 1 ? ` ± ${two(deviation(values))}` : "";
    const each = accuracies.map((value, at) => `seed ${seeds[at]}: ${value === null ? "–" : two(value)}`);
    return [label, `${two(mean(values))}${spread} %, n = ${values.length}`,
      each.length > 12 ? `${each.slice(0, 12).join(", ")} and ${each.length - 12} more` : each.join(", ")];
  };
  const setNear = (index) => {
    if (index === near) return;
    near = index;
    mark();
    for (const listener of listeners) if (listener.onNear) listener.onNear();
  };
  const over = (event) => {
    const at = event.target.closest?.("[data-variant]");
    const index = at ? Number(at.dataset.variant) : null;
    setNear(index);
    const dot = event.target.closest?.("[data-seed]");
    if (!at || !(at.closest("svg") || dot)) return hide();
    const box = event.target.getBoundingClientRect();
    const lines = describe(index);
    if (dot) lines.splice(1, 0, `seed ${dot.dataset.seed}: ${two(Number(dot.dataset.value))} %`);
    show(lines, event.clientX ?? box.left, event.clientY ?? box.bottom);
  };
  document.addEventListener("pointerover", over);
  document.addEventListener("focusin", over);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") { hide(); setNear(null); } });
  addEventListener("scroll", hide, { passive: true });

  addEventListener("hashchange", () => {
    if (!location.hash.includes("=")) return write(); // a place in the page was asked for: what was chosen stays
    read();
    changed();
  });
  read();
  return { data, variants, varying, choices, element, button, isShown, colorOf, changed, describe, setNear, show, hide, mean, known, two,
    near: () => near, onChange: (listener) => listeners.push(listener),
    begin: () => {
      mark();
      for (const listener of listeners) listener();
      const to = place() && location.hash.includes("=") ? document.getElementById(place()) : null;
      if (to) to.scrollIntoView();
    } };
})();
