// Bars in tables, and line charts as SVG. Every chart has its numbers in a table below it.

function percent(share) {
  return `${Math.max(0, Math.min(1, share)) * 100}%`;
}

// A bar from 0 to 1 with its number; `range` is a pair of bounds, drawn behind it.
function barCell(value, kind = "", range = null) {
  if (!isNumber(value)) return make("td", {class: "none"}, kBlank);
  const bar = make("div", {class: `bar ${kind}`, "aria-hidden": "true"});
  if (range && isNumber(range[0]) && isNumber(range[1]))
    bar.append(make("i", {class: "range", style: `width: ${percent(range[1])}`}));
  bar.append(make("i", {style: `width: ${percent(range && isNumber(range[0]) ? range[0] : value)}`}));
  return make("td", {}, make("div", {class: "cell"}, bar, make("span", {}, shown(value))));
}

// A bar to the left or to the right of the middle, for differences from -1 to 1.
function differenceCell(value) {
  if (!isNumber(value)) return make("td", {class: "none"}, kBlank);
  const width = Math.min(1, Math.abs(value)) / 2;
  const style = `width: ${percent(width)}; left: ${percent(value < 0 ? 0.5 - width : 0.5)}`;
  return make(
      "td", {},
      make(
          "div", {class: "cell"}, make("div", {class: "bar difference", "aria-hidden": "true"}, make("i", {style})),
          make("span", {}, (value > 0 ? "+" : "") + shown(value))));
}

// A table that scrolls by itself. Cells that are no elements become texts.
function table(name, headers, rows, style = "measured") {
  const cell = (content) => content instanceof Element ? content : make("td", {}, String(content));
  return make(
      "div", {class: "scroll", role: "region", tabindex: "0", "aria-label": name},
      make(
          "table", {class: style},
          make("thead", {}, make("tr", {}, headers.map((header) => make("th", {scope: "col"}, header)))),
          make("tbody", {}, rows.map((row) => make("tr", {}, row.map(cell))))));
}

function draw(name, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const kWidth = 480, kHeight = 320, kLeft = 52, kRight = 12, kTop = 12, kBottom = 46;
const kColours = ["--model", "--votes", "--third", "--fourth"];
// Marks differ by shape too, for those who see the colours alike.
const kMarks = ["M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0", "M-4,-4h8v8h-8z", "M0,-5L5,4H-5z", "M0,-5L5,0L0,5L-5,0z"];

// series: [{title, points: [[x, y, what it is of]..]}]; both axes are linear, y from 0 to 1.
function lineChart(title, series, {xTitle, yTitle, xTicks, xRange, hasDiagonal = false}) {
  const x = (value) => kLeft + (value - xRange[0]) / (xRange[1] - xRange[0]) * (kWidth - kLeft - kRight);
  const y = (value) => kHeight - kBottom - value * (kHeight - kTop - kBottom);
  const picture = draw("svg", {viewBox: `0 0 ${kWidth} ${kHeight}`, role: "img", "aria-label": title});
  const text = (content, attributes) => draw("text", attributes, content);
  for (const tick of [0, 0.25, 0.5, 0.75, 1]) {
    picture.append(
        draw("line", {class: "grid", x1: kLeft, x2: kWidth - kRight, y1: y(tick), y2: y(tick)}),
        text(String(tick), {x: kLeft - 6, y: y(tick) + 4, "text-anchor": "end"}));
  }
  for (const tick of xTicks)
    picture.append(text(String(tick), {x: x(tick), y: kHeight - kBottom + 18, "text-anchor": "middle"}));
  picture.append(
      draw("path", {class: "axis", d: `M${kLeft},${kTop}V${kHeight - kBottom}H${kWidth - kRight}`}),
      text(xTitle, {x: (kLeft + kWidth - kRight) / 2, y: kHeight - 8, "text-anchor": "middle"}), text(yTitle, {
        x: 14,
        y: (kTop + kHeight - kBottom) / 2,
        "text-anchor": "middle",
        transform: `rotate(-90 14 ${(kTop + kHeight - kBottom) / 2})`
      }));
  if (hasDiagonal)
    picture.append(draw("path", {class: "grid", "stroke-dasharray": "4 4", d: `M${x(0)},${y(0)}L${x(1)},${y(1)}`}));
  series.forEach(({points}, i) => {
    const colour = `var(${kColours[i]})`;
    picture.append(draw("path", {
      fill: "none",
      style: `stroke: ${colour}`,
      "stroke-width": 2,
      d: points.map(([px, py], k) => `${k === 0 ? "M" : "L"}${x(px)},${y(py)}`).join("")
    }));
    for (const [px, py, note] of points) {
      picture.append(draw(
          "path", {d: kMarks[i], style: `fill: ${colour}`, transform: `translate(${x(px)} ${y(py)})`},
          draw("title", {}, `${series[i].title}: ${shown(py)} at ${shown(px)} (${note})`)));
    }
  });
  return make(
      "figure", {class: "chart"}, make("figcaption", {}, title), picture, legend(series),
      numbersBelow(title, series, xTitle, yTitle));
}

function legend(series) {
  return make("div", {}, series.map(({title}, i) => {
    const mark = draw(
        "svg", {
          viewBox: "-7 -7 14 14",
          "aria-hidden": "true",
          style: "display: inline-block; width: 14px; margin: 0 0.3rem 0 0.8rem"
        },
        draw("path", {d: kMarks[i], style: `fill: var(${kColours[i]})`}));
    return make("span", {style: "white-space: nowrap"}, mark, title);
  }));
}

function numbersBelow(title, series, xTitle, yTitle) {
  const rows = series.flatMap((one) => one.points.map(([px, py, note]) => [one.title, shown(px), shown(py), note]));
  return make("details", {}, make("summary", {}, "Numbers"), table(title, ["", xTitle, yTitle, "of"], rows));
}
