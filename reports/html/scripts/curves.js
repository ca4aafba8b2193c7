// The learning curves, drawn anew so that one can choose what is shown and look closer; printed and without a script they are
// the picture that the page came with.
if (look && look.data.curves.length) (() => {
  const { data, variants, choices, element, button } = look;
  const section = document.getElementById("curves");
  const figure = section?.querySelector("figure");
  if (!figure) return;
  const NAMESPACE = "http://www.w3.org/2000/svg";
  const draw = (name, attributes, ...children) => {
    const made = document.createElementNS(NAMESPACE, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    made.append(...children);
    return made;
  };
  const HEIGHT = 340, LEFT = 52, RIGHT = 24, TOP = 10, BOTTOM = 40;
  const DASHES = ["", "7 4", "2 3", "8 3 2 3"];
  const steps = data.steps;
  const first = steps[0], last = steps[steps.length - 1];
  const losses = data.curves.filter((kind) => kind.unit === ""), accuracies = data.curves.filter((kind) => kind.unit !== "");

  // --- what is chosen: a measure, kinds of it, every training or means, and a window of steps
  const isLoss = () => losses.length > 0 && (choices.curves.kind === "loss" || !accuracies.length);
  const kinds = () => {
    if (isLoss()) return losses;
    const named = (choices.curves.kind ?? "").split("|");
    const chosen = accuracies.filter((kind) => named.includes(kind.label));
    return chosen.length ? chosen : variants.length > 6 ? accuracies.slice(0, 1) : accuracies;
  };
  const isEach = () => choices.curves.each === "1";
  const window_ = () => {
    const given = /^(\d+)-(\d+)$/.exec(choices.curves.steps ?? "");
    const [from, to] = given ? [Number(given[1]), Number(given[2])] : [first, last];
    return from < to ? [Math.max(from, first), Math.min(to, last)] : [first, last];
  };
  const setWindow = (from, to) => {
    const low = Math.max(first, Math.round(Math.min(from, to))), high = Math.min(last, Math.round(Math.max(from, to)));
    if (low <= first && high >= last) delete choices.curves.steps;
    else if (high - low >= 1) choices.curves.steps = `${low}-${high}`;
    look.changed();
  };
  const zoom = (factor) => {
    const [from, to] = window_();
    const half = (to - from) * factor / 2, middle = (from + to) / 2;
    setWindow(middle - half, middle + half);
  };
  const pan = (share) => {
    const [from, to] = window_();
    const by = Math.max(first - from, Math.min(last - to, (to - from) * share));
    setWindow(from + by, to + by);
  };

  // --- controls
  const radio = (text, isOn, choose) => {
    const input = element("input", { type: "radio", name: "curve-measure" });
    input.addEventListener("change", () => { choose(); look.changed(); });
    look.onChange(() => { input.checked = isOn(); });
    return element("label", {}, input, text);
  };
  const check = (text, isOn, choose) => {
    const input = element("input", { type: "checkbox" });
    input.addEventListener("change", () => { choose(input.checked); look.changed(); });
    look.onChange(() => { input.checked = isOn(); });
    return element("label", {}, input, text);
  };
  const measures = accuracies.length && losses.length ? [
    radio("test accuracy", () => !isLoss(), () => { delete choices.curves.kind; }),
    radio(losses[0].label, isLoss, () => { choices.curves.kind = "loss"; }),
  ] : [];
  const switches = accuracies.length > 1 ? accuracies.map((kind) => {
    const label = check(kind.label.replace("test accuracy, ", ""), () => !isLoss() && kinds().includes(kind), (isOn) => {
      const chosen = accuracies.filter((each) => (each === kind ? isOn : kinds().includes(each)));
      if (!chosen.length) delete choices.curves.kind;
      else choices.curves.kind = chosen.map((each) => each.label).join("|");
    });
    look.onChange(() => { label.firstChild.disabled = isLoss(); });
    return label;
  }) : [];
  const hasEach = data.curves.some((kind) => kind.trainings.some((training) => training.seed !== null));
  const each = hasEach ? [check("every training", isEach, (isOn) => {
    if (isOn) choices.curves.each = "1";
    else delete choices.curves.each;
  })] : [];
  const whole = button("Whole", () => setWindow(first, last));
  const controls = element("div", { class: "curve-controls", role: "group", "aria-label": "What the curves show" },
    ...measures, ...switches, ...each,
    button("Closer", () => zoom(0.5)), button("Farther", () => zoom(2)),
    button("←", () => pan(-0.5), { "aria-label": "Earlier steps" }), button("→", () => pan(0.5), { "aria-label": "Later steps" }),
    button("Last half", () => setWindow((first + last) / 2, last)), whole);

  const svg = draw("svg", { class: "curves-drawn", role: "img", height: HEIGHT });
  const legend = element("ul", { class: "curve-legend", tabindex: "0", "aria-label": "Variants of the curves" }, ...variants.map(({ label }, index) => {
    const swatch = element("i", { "aria-hidden": "true" });
    look.onChange(() => { swatch.style.background = look.colorOf(index); });
    return element("li", { "data-variant": index, title: label }, swatch, label);
  }));
  const styles = element("p", { class: "note" });
  const data_ = take.tool("Data of this picture (CSV)", () => take.download(`${data.sweep} learning curves`, rows()), "Data of this picture (CSV): learning curves");
  const drawn = element("div", { class: "drawn-curves" }, controls, element("div", { class: "picture plain" }, svg), legend, styles,
    element("p", { class: "tools" }, data_));
  figure.before(drawn);
  for (const other of section.querySelectorAll("figure")) other.classList.add("on-paper");

  const rows = () => [["variant", "seed", "curve", "step", "value"], ...data.curves.flatMap((kind) => kind.trainings
    .filter((training) => look.isShown(training.variant))
    .flatMap((training) => training.values.map((value, at) => [variants[training.variant].name, training.seed ?? "mean", kind.label, steps[at], value])
      .filter((row) => row[4] !== null)))];

  // --- lines: of each variant and kind the mean of its trainings, and the trainings themselves
  const meanOf = (trainings) => steps.map((_, at) => {
    const values = trainings.map((training) => training.values[at]);
    return values.length && values.every((value) => value !== null) ? look.mean(values) : null;
  });
  const lines = () => kinds().flatMap((kind, order) => variants.flatMap((_, index) => {
    const own = kind.trainings.filter((training) => training.variant === index);
    if (!own.length || !look.isShown(index)) return [];
    const dash = DASHES[order % DASHES.length];
    const single = isEach() ? own.map((training) => ({ index, seed: training.seed, values: training.values, kind, dash, isThin: own.length > 1 })) : [];
    return [...single, ...(isEach() && own.length > 1 ? [] : [{ index, seed: null, n: own.length, values: meanOf(own), kind, dash, isThin: false }])];
  }));

  const nice = (low, high, most) => {
    const power = 10 ** Math.floor(Math.log10((high - low) / most));
    const size = [1, 2, 5, 10].map((factor) => factor * power).find((each) => (high - low) / each <= most);
    const ticks = [];
    for (let tick = Math.ceil(low / size); tick * size <= high + 1e-9; tick += 1) ticks.push(Number((tick * size).toPrecision(12)));
    return ticks;
  };
  let shownLines = [], scale = null, WIDTH = 720;
  const redraw = () => {
    const [from, to] = window_();
    WIDTH = Math.max(280, Math.round(svg.clientWidth) || 720);
    svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    shownLines = lines();
    const isIn = steps.map((step) => step >= from && step <= to);
    const values = shownLines.flatMap((line) => line.values.filter((value, at) => value !== null && isIn[at]));
    svg.setAttribute("aria-label", `${isLoss() ? losses[0].label : "test accuracy in percent"} of ${new Set(shownLines.map((line) => line.index)).size} ` +
      `variants, steps ${from} to ${to}`);
    styles.textContent = kinds().length > 1 ? `Lines: ${kinds().map((kind, order) => `${["solid", "dashed", "dotted", "dash-dotted"][order % 4]}: ${kind.label}`).join("; ")}.` : "";
    whole.disabled = from <= first && to >= last;
    if (!values.length) return svg.replaceChildren(draw("text", { x: WIDTH / 2, y: HEIGHT / 2, "text-anchor": "middle" }, "Nothing to draw here."));
    let low = Math.min(...values), high = Math.max(...values);
    const margin = (high - low) * 0.05 || 0.5;
    [low, high] = [low - margin, high + margin];
    const x = (step) => LEFT + (WIDTH - LEFT - RIGHT) * (to > from ? (step - from) / (to - from) : 0.5);
    const y = (value) => TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low);
    scale = { from, to, x, y };
    const grid = draw("g", { class: "grid" });
    for (const tick of nice(low, high, 6)) {
      grid.append(draw("line", { x1: LEFT, x2: WIDTH - RIGHT, y1: y(tick), y2: y(tick) }),
        draw("text", { x: LEFT - 6, y: y(tick) + 4, "text-anchor": "end" }, String(tick)));
    }
    for (const tick of to > from ? nice(from, to, WIDTH < 480 ? 3 : 6) : [from]) {
      grid.append(draw("line", { x1: x(tick), x2: x(tick), y1: TOP, y2: HEIGHT - BOTTOM }),
        draw("text", { x: x(tick), y: HEIGHT - BOTTOM + 16, "text-anchor": "middle" }, tick.toLocaleString("en")));
    }
    grid.append(draw("text", { x: LEFT, y: HEIGHT - 6 }, isLoss() ? losses[0].label : "test accuracy, %"),
      draw("text", { x: WIDTH - RIGHT, y: HEIGHT - 6, "text-anchor": "end" }, "step"));
    const clip = draw("clipPath", { id: "curve-window" }, draw("rect", { x: LEFT, y: TOP, width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM }));
    const paths = draw("g", { "clip-path": "url(#curve-window)" });
    for (const line of shownLines) {
      let path = "", isDown = false;
      line.values.forEach((value, at) => {
        if (value === null) return;
        path += `${isDown ? "L" : "M"}${x(steps[at]).toFixed(1)},${y(value).toFixed(1)}`;
        isDown = true;
      });
      const isPoint = line.values.filter((value) => value !== null).length === 1;
      const shape = draw("path", { d: isPoint ? `${path}h.01` : path, class: line.isThin ? "thin" : "whole", "data-variant": line.index });
      shape.style.stroke = look.colorOf(line.index);
      if (line.dash) shape.style.strokeDasharray = line.dash;
      if (isPoint) shape.style.strokeWidth = 8;
      paths.append(shape);
    }
    svg.replaceChildren(grid, clip, paths, selection);
    for (const shape of paths.children) {
      shape.classList.toggle("is-pinned", choices.pin.has(Number(shape.dataset.variant)));
      shape.classList.toggle("is-near", Number(shape.dataset.variant) === look.near());
    }
  };

  // --- the nearest point under the pointer; dragging chooses steps
  const selection = draw("rect", { class: "selection", y: TOP, height: HEIGHT - TOP - BOTTOM, width: 0 });
  const position = (event) => {
    const box = svg.getBoundingClientRect();
    return [(event.clientX - box.left) * WIDTH / box.width, (event.clientY - box.top) * HEIGHT / box.height];
  };
  const stepAt = (px) => scale.from + (scale.to - scale.from) * Math.max(0, Math.min(1, (px - LEFT) / (WIDTH - LEFT - RIGHT)));
  let began = null;
  svg.addEventListener("pointerdown", (event) => {
    if (!scale || event.pointerType === "touch") return;
    began = position(event)[0];
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (!scale) return;
    const [px, py] = position(event);
    if (began !== null) {
      selection.setAttribute("x", Math.max(LEFT, Math.min(began, px)));
      selection.setAttribute("width", Math.abs(px - began));
    }
    let best = null;
    for (const line of shownLines) {
      line.values.forEach((value, at) => {
        if (value === null || steps[at] < scale.from || steps[at] > scale.to) return;
        const distance = Math.hypot(scale.x(steps[at]) - px, scale.y(value) - py);
        if (!best || distance < best.distance) best = { distance, line, at, value };
      });
    }
    if (!best || best.distance > 40) {
      look.setNear(null);
      return look.hide();
    }
    const { line, at, value } = best;
    look.setNear(line.index);
    look.show([variants[line.index].label, `step ${steps[at].toLocaleString("en")}: ${line.kind.unit ? `${look.two(value)} %` : value.toPrecision(4)}`,
      `${line.kind.label}, ${line.seed === null ? `mean of n = ${line.n}` : `seed ${line.seed}`}`], event.clientX, event.clientY);
  });
  const ended = (event) => {
    if (began === null) return;
    const from = stepAt(began), to = stepAt(position(event)[0]);
    began = null;
    selection.setAttribute("width", 0);
    if (Math.abs(to - from) > (scale.to - scale.from) * 0.02) setWindow(from, to);
  };
  svg.addEventListener("pointerup", ended);
  svg.addEventListener("pointercancel", ended);
  svg.addEventListener("pointerleave", () => { look.hide(); look.setNear(null); });
  redraw.onNear = () => { if (variants.length > 8) redraw(); };
  look.onChange(redraw);
  new ResizeObserver(() => { if (Math.round(svg.clientWidth) && Math.round(svg.clientWidth) !== WIDTH) redraw(); }).observe(svg);
})();
