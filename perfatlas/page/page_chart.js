// SPDX-License-Identifier: Apache-2.0
'use strict';
// Drawing: elements, scales, axes and the pointer's tooltip. Text only ever enters the page as text nodes.

const data = JSON.parse(document.getElementById('data').textContent);
const svgSpace = document.getElementById('ns').namespaceURI;
const byId = id => document.getElementById(id);

function add(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  for (const child of [].concat(children === undefined ? [] : children))
    if (child !== null) node.append(child);
  return node;
}
const html = (tag, attributes, children) => add(document.createElement(tag), attributes, children);
const svg = (tag, attributes, children) => add(document.createElementNS(svgSpace, tag), attributes, children);
const fill = (id, ...children) => byId(id).replaceChildren(...children.flat().filter(c => c !== null));

// ---- numbers as text ----

const digits = value => Number(value.toPrecision(3)).toString();
function timeText(ms) {
  if (ms === null) return '-';
  if (ms < 1e-3) return digits(ms * 1e6) + ' ns';
  if (ms < 1) return digits(ms * 1e3) + ' \u00b5s';
  return ms < 1e3 ? digits(ms) + ' ms' : digits(ms / 1e3) + ' s';
}
function rateText(value, unit) {
  if (value === undefined || value === null) return '-';
  const prefixes = ['', 'k', 'M', 'G', 'T', 'P'];
  let i = 0;
  while (value >= 999.5 && i < prefixes.length - 1) { value /= 1000; ++i; }
  return digits(value) + ' ' + prefixes[i] + unit;
}
function bytesText(value) {
  if (value === undefined || value === null) return '-';
  const prefixes = ['', 'Ki', 'Mi', 'Gi', 'Ti'];
  let i = 0;
  while (value >= 1023.5 && i < prefixes.length - 1) { value /= 1024; ++i; }
  return digits(value) + ' ' + prefixes[i] + 'B';
}
const percent = value => value === null || value === undefined ? '-' : digits(value * 100) + ' %';

// ---- scales ----

function logScale(values, from, to) {
  const positive = values.filter(v => v > 0);
  let low = Math.min(...positive), high = Math.max(...positive);
  if (!(high > low)) { low /= 2; high = high * 2; }
  const a = Math.log(low), b = Math.log(high);
  const scale = v => from + (Math.log(v) - a) / (b - a) * (to - from);
  return Object.assign(scale, {low, high});
}
function linearScale(low, high, from, to) {
  return Object.assign(v => from + (v - low) / (high - low) * (to - from), {low, high});
}
/// Powers of ten, with 2 and 5 between when there are few.
function logTicks(low, high) {
  const ticks = [], decades = Math.log10(high / low);
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); ++e)
    for (const m of decades < 2 ? [1, 2, 5] : decades < 3.2 ? [1, 3] : [1]) ticks.push(m * 10 ** e);
  return ticks.filter(t => t >= low * 0.999 && t <= high * 1.001);
}
/// The values themselves while they are few, else every second, third ...
function valueTicks(values, scale, room) {
  const sorted = [...new Set(values)].sort((a, b) => a - b), ticks = [];
  for (const v of sorted)
    if (!ticks.length || Math.abs(scale(v) - scale(ticks[ticks.length - 1])) >= room) ticks.push(v);
  return ticks;
}

// ---- a plot with axes ----

/// {width, height, left, top, right, bottom, root}; marks are appended to root.
function plot(width, height, label, margins) {
  const m = Object.assign({left: 62, top: 10, right: 14, bottom: 38}, margins);
  const root = svg('svg', {viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label});
  return {root, width, height, left: m.left, top: m.top, right: width - m.right, bottom: height - m.bottom};
}
function axisX(p, scale, ticks, text, title) {
  for (const t of ticks) {
    p.root.append(svg('line', {class: 'gridline', x1: scale(t), x2: scale(t), y1: p.top, y2: p.bottom}));
    p.root.append(svg('text', {x: scale(t), y: p.bottom + 16, 'text-anchor': 'middle'}, text(t)));
  }
  p.root.append(svg('line', {class: 'axis', x1: p.left, x2: p.right, y1: p.bottom, y2: p.bottom}));
  p.root.append(svg('text', {class: 'title', x: (p.left + p.right) / 2, y: p.height - 4, 'text-anchor': 'middle'}, title));
}
function axisY(p, scale, ticks, text, title) {
  for (const t of ticks) {
    p.root.append(svg('line', {class: 'gridline', x1: p.left, x2: p.right, y1: scale(t), y2: scale(t)}));
    p.root.append(svg('text', {x: p.left - 7, y: scale(t) + 4, 'text-anchor': 'end'}, text(t)));
  }
  const middle = (p.top + p.bottom) / 2;
  p.root.append(svg('text', {class: 'title', x: 12, y: middle, transform: `rotate(-90 12 ${middle})`, 'text-anchor': 'middle'}, title));
}
/// Whole-number ticks from 0 for counts.
function countTicks(most) {
  const step = [1, 2, 5].flatMap(m => [0, 1, 2, 3, 4, 5].map(e => m * 10 ** e)).sort((a, b) => a - b).find(s => most / s <= 4) || most;
  return Array.from({length: Math.floor(most / step) + 1}, (_, i) => i * step);
}

/// Bars of [{low, high, parts: [{count, colour, name}]}] over a linear or logarithmic x.
function histogram(bins, x, ticks, options) {
  const p = plot(540, 230, options.title, {left: 54, right: 26});
  const scale = x(p.left, p.right);
  const most = Math.max(1, ...bins.map(b => b.parts.reduce((n, part) => n + part.count, 0)));
  const y = linearScale(0, most, p.bottom, p.top);
  axisX(p, scale, ticks, options.text, options.title);
  axisY(p, y, countTicks(most), String, 'rows');
  for (const bin of bins) {
    let base = 0;
    for (const part of bin.parts) {
      if (!part.count) continue;
      const bar = svg('rect', {x: scale(bin.low) + 0.5, width: Math.max(1, scale(bin.high) - scale(bin.low) - 1), y: y(base + part.count),
                               height: y(base) - y(base + part.count), style: `fill:${part.colour}`});
      tooltip(bar, () => [[options.title, options.range(bin)], [part.name || 'rows', String(part.count)]]);
      p.root.append(bar);
      base += part.count;
    }
  }
  for (const t of options.thresholds || [])
    if (t.at > scale.low && t.at < scale.high)
      p.root.append(svg('line', {class: 'threshold', x1: scale(t.at), x2: scale(t.at), y1: p.top, y2: p.bottom}));
  return p.root;
}

// ---- tooltip ----

function pairs(entries) {
  return html('dl', {}, entries.flatMap(([name, value]) => [html('dt', {}, name), html('dd', {}, String(value))]));
}
function showTip(entries, x, y) {
  const tip = byId('tip');
  tip.replaceChildren(pairs(entries));
  tip.hidden = false;
  tip.style.left = Math.max(4, Math.min(x + 14, scrollX + document.documentElement.clientWidth - tip.offsetWidth - 8)) + 'px';
  const above = y - tip.offsetHeight - 12;
  tip.style.top = (above > scrollY + 4 ? above : y + 18) + 'px';
}
const hideTip = () => { byId('tip').hidden = true; };
function tooltip(node, entries) {
  node.addEventListener('pointermove', event => showTip(entries(), event.pageX, event.pageY));
  node.addEventListener('pointerleave', hideTip);
}

// ---- tables ----

/// columns: [{title, number, wide, cell: row => text or node}]
function table(rows, columns, empty) {
  if (!rows.length) return html('p', {class: 'quiet'}, empty);
  const kind = c => c.number ? 'number' : c.wide ? 'wide' : null;
  return html('div', {class: 'table'}, html('table', {}, [
    html('thead', {}, html('tr', {}, columns.map(c => html('th', {class: kind(c), scope: 'col'}, c.title)))),
    html('tbody', {}, rows.map(row => html('tr', {}, columns.map(c => html('td', {class: kind(c)}, c.cell(row))))))
  ]));
}
const code = text => html('code', {}, text);
function more(shown, all, what) {
  return shown < all ? html('p', {class: 'quiet'}, `${shown} of ${all} ${what} are shown.`) : null;
}
