// A page of sections: its links, its theme, and the table of shares.

const SIDES = ["var(--real)", "var(--made)", "var(--third)", "var(--fourth)"];
const repaints = [];

const date = (text) => (text ? text.slice(0, 16).replace("T", " ") + " UTC" : "–");

/** A section of <main> with its link in <nav>; one that is absent has a dashed frame. */
function addSection(id, title, absent = false) {
  const nav = document.querySelector("nav");
  put(put(nav.querySelector("ul") ?? put(nav, "ul"), "li"), "a", { href: `#${id}`, class: absent ? "absent" : null }, title);
  const node = put(document.getElementById("main"), "section", { id, class: absent ? "absent" : null, "aria-labelledby": `${id}-title` });
  put(node, "h2", { id: `${id}-title` }, title);
  return node;
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  for (const repaint of repaints) repaint();
}

/** Take the theme of the system, now and when it changes. */
function followTheme() {
  const preference = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => setTheme(preference.matches ? "dark" : "light");
  preference.addEventListener("change", follow);
  follow();
}

function themeButton(parent) {
  put(parent, "button", { type: "button" }, "Light or dark").addEventListener("click", () => setTheme(dark() ? "light" : "dark"));
}

/** Names with values, and what is known besides in small letters; what has no value is left out. */
function factList(parent) {
  const facts = put(parent, "dl", { class: "facts" });
  return (name, value, ...small) => {
    if (value === null || value === undefined || value === "") return;
    const under = small.filter(Boolean).join(", ");
    put(put(facts, "div"), "dt", {}, name).after(element("dd", {}, format(value), under ? element("small", {}, under) : null));
  };
}

/** A colour for a series of its own, however many there are. */
const sideColour = (number, of) => SIDES[number] ?? classColour(number, of);

/** Bars of the share of each class on each side; the one of name "real clips" has a colour of its own. */
function shareTable(parent, { classes, sides }) {
  const others = sides.filter((side) => side.name !== "real clips");
  const colours = sides.map((side) => sideColour(side.name === "real clips" ? 0 : 1 + others.indexOf(side), sides.length));
  const keys = put(parent, "p");
  sides.forEach((side, i) => put(put(keys, "span", { class: "key" }), "i", { style: `background: ${colours[i]}` }).after(`${i + 1}. ${side.name} (${format(side.count)})`));
  const widest = Math.max(...sides.flatMap((side) => side.counts.map((count) => count / side.count)));
  const body = put(put(parent, "table", { class: "shares", "aria-label": "Share of each class" }), "tbody");
  classes.forEach((name, row) => {
    const cell = put(put(body, "tr", {}, element("th", { scope: "row", title: name }, name)), "td");
    sides.forEach((side, i) => {
      const share = side.counts[row] / side.count;
      const bar = put(cell, "div", { class: "bar", title: `${side.name}: ${side.counts[row]} of ${side.count}` });
      put(bar, "i", { style: `width: calc((100% - 5rem) * ${share / widest}); background: ${colours[i]}` });
      bar.append(`${i + 1}. ${(100 * share).toFixed(1)} %`);
    });
  });
}

/** How many classes of the real clips each other side has, and which are hardly there; `begin` gives the first words. */
function shareSentences(parent, { classes, sides }, begin = (name) => `By ${name}`) {
  const real = sides.find((side) => side.name === "real clips");
  for (const side of real ? sides.filter((one) => one !== real) : []) {
    const wanted = classes.filter((_, i) => real.counts[i] > 0);
    const absent = wanted.filter((name) => side.counts[classes.indexOf(name)] / side.count < (0.1 * real.counts[classes.indexOf(name)]) / real.count);
    const rejected = classes.includes("X") ? `, ${((100 * side.counts[classes.indexOf("X")]) / side.count).toFixed(1)} % are X, none of the classes` : "";
    put(parent, "p", { class: "small" }, `${begin(side.name)}: ${wanted.length - absent.length} of ${wanted.length} classes are there (with at least a tenth of their share among the real clips)${rejected}.${absent.length ? ` Hardly ever given: ${absent.join(", ")}${rejected ? "; sounds of these classes may be among the X" : ""}.` : ""}`);
  }
}
