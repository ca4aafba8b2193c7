// Tables to take along: as Markdown and LaTeX on the clipboard, as CSV and the data behind pictures as files.
const take = (() => {
  const make = (name, attributes, text) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    return made;
  };
  const line = (text) => text.replace(/\s+/g, " ").trim();
  const escapes = { "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}",
    ">": "\\textgreater{}", "|": "\\textbar{}", '"': "\\textquotedbl{}", "`": "\\textasciigrave{}", "'": "\\textquotesingle{}",
    "[": "{[}", "]": "{]}", "*": "{*}", "±": "\\ensuremath{\\pm}", "\u2212": "\\ensuremath{-}", "–": "--",
    "&": "\\&", "%": "\\%", "$": "\\$", "#": "\\#", "_": "\\_", "{": "\\{", "}": "\\}" };
  const latexText = (text) => text.replace(/([-,])(?=\1)/g, "$1\u0000")
    .replace(/[\\~^<>|"`'[\]*±\u2212–&%$#_{}]/g, (letter) => escapes[letter]).replaceAll("\u0000", "{}");
  const markdownText = (text) => text.replace(/[\\`*<|~$]/g, "\\$&").replace(/(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\_")
    .replace(/\](?=[([:])/g, "\\]").replace(/&(?=#?\w+;)/g, "\\&");
  const isNumber = (text) => text !== "" && Number.isFinite(Number(text));
  const csvText = (text) => {
    const plain = text.replaceAll("\u2212", "-");
    const safe = !isNumber(plain) && /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r]/.test(plain) ? `'${plain}` : plain;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };

  const cellText = (cell) => {
    const copy = cell.cloneNode(true);
    for (const each of copy.querySelectorAll(".sr, small.narrow, .pin, svg")) each.remove();
    for (const each of copy.querySelectorAll("small")) each.prepend(" ");
    return line(copy.textContent);
  };
  const contents = (table) => {
    const drawn = [...table.tHead.rows[0].cells].map((cell) => cell.classList.contains("drawn"));
    const rows = [table.tHead.rows[0], ...[...table.tBodies[0].rows].filter((row) => !row.classList.contains("is-out"))];
    return rows.map((row) => [...row.cells].filter((_, column) => !drawn[column]).map(cellText));
  };
  const isLeft = (table, column) => column === 0 || Boolean(table.tBodies[0].rows[0]?.cells[column]?.classList.contains("text"));
  const markdown = (table) => {
    const [head, ...rows] = contents(table);
    const rule = head.map((_, column) => (isLeft(table, column) ? ":--" : "--:"));
    return [head.map(markdownText), rule, ...rows.map((row) => row.map(markdownText))].map((row) => `| ${row.join(" | ")} |\n`).join("");
  };
  const latex = (table) => {
    const [head, ...rows] = contents(table);
    const columns = head.map((_, column) => (isLeft(table, column) ? "l" : "r")).join("");
    const written = (row) => `  ${row.map(latexText).join(" & ")} \\\\`;
    return [`\\begin{tabular}{${columns}} % takes booktabs`, "  \\toprule", written(head), "  \\midrule", ...rows.map(written),
      "  \\bottomrule", "\\end{tabular}", ""].join("\n");
  };
  const csv = (rows) => rows.map((row) => `${row.map((cell) => csvText(String(cell ?? ""))).join(",")}\n`).join("");

  const copied = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { // no permission, or a page from a server without TLS
      const area = make("textarea", { readonly: "", class: "sr" });
      area.value = text;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      return done;
    }
  };
  const download = (name, rows) => {
    const link = make("a", { download: `${name.replace(/[^\w.-]+/g, "_").slice(0, 80) || "data"}.csv` });
    link.href = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv" }));
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };
  const said = make("p", { class: "sr", role: "status" });
  document.body.append(said);
  const tool = (text, action, label) => {
    const made = make("button", { type: "button", "aria-label": label }, text);
    made.addEventListener("click", async () => {
      const result = await action();
      said.textContent = "";
      said.textContent = result === false ? "This browser does not allow to copy." : result === true ? "Copied." : "";
      if (result === undefined) return;
      made.textContent = result ? "copied" : "not allowed";
      setTimeout(() => { made.textContent = text; }, 1500);
    });
    return made;
  };
  const add = () => {
    for (const table of document.querySelectorAll("main table")) {
      const name = line(table.caption?.textContent ?? "table");
      const tools = make("p", { class: "tools" });
      tools.append("Copy as ", tool("Markdown", () => copied(markdown(table)), `Copy as Markdown: ${name}`), " ",
        tool("LaTeX", () => copied(latex(table)), `Copy as LaTeX: ${name}`), " or save as ",
        tool("CSV", () => download(name, contents(table)), `Save as CSV: ${name}`));
      table.closest(".scroll").after(tools);
    }
  };
  // The data behind the pictures of accuracy against cost: every training, with what its variant costs.
  const addTradeOff = () => {
    const section = document.getElementById("trade_off");
    if (!section || !look) return;
    const { axes, sweep } = look.data;
    const rows = () => [["variant", "seed", "test accuracy, %", ...axes.map(({ noun }) => noun)], ...look.variants.flatMap(
      ({ name, seeds, accuracies, costs }, index) => (look.isShown(index)
        ? seeds.map((seed, at) => [name, seed, accuracies[at], ...axes.map((axis) => costs[axis.name])]) : []))];
    const tools = make("p", { class: "tools" });
    tools.append(tool("Data of these pictures (CSV)", () => download(`${sweep} accuracy and cost`, rows()),
      "Data of these pictures (CSV): accuracy against cost"));
    (section.querySelector("fieldset.tabs") ?? section.querySelector("figure"))?.after(tools);
  };
  return { add, addTradeOff, download, tool, make };
})();
