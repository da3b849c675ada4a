package io.penstock.partitioner.render;

/** The fixed part of {@link TimelinePage}: style and script, drawing the data that stand in for the two marks. In Java because this module reads no files. */
final class TimelineTemplate {
    static final String TITLE = "/*TITLE*/";
    static final String DATA = "/*DATA*/";

    static final String PAGE = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>/*TITLE*/</title>
            <style>
            :root { color-scheme: light dark; --page: #ffffff; --text: #1b1f24; --faint: #6a737d; --line: #d0d7de; --lane: #f3f5f7;
              --forward: #2f6fd0; --backward: #1f8a5b; --input: #1f8a5b; --weight: #b7791f; --message: #8a94a0; --end: #8d4bbb; --limit: #c62f2f; --on: #ffffff; }
            @media (prefers-color-scheme: dark) { :root { --page: #14181d; --text: #e3e8ee; --faint: #98a2ad; --line: #343c45; --lane: #1c2228;
              --forward: #5b93e8; --backward: #46b383; --input: #46b383; --weight: #d9a24a; --message: #7d8894; --end: #b07fd8; --limit: #f06a6a; --on: #10141a; } }
            html { overflow-y: scroll; } body { margin: 1.5rem; background: var(--page); color: var(--text); font: 14px/1.45 system-ui, sans-serif; }
            h1 { font-size: 1.3rem; } h2 { font-size: 1.05rem; margin: 1.6rem 0 .5rem; }
            .scroll { overflow-x: auto; } svg { display: block; } svg text { font: 11px system-ui, sans-serif; fill: var(--faint); }
            .legend span { display: inline-block; margin-right: 1.2em; } .legend i { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; }
            table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th, td { border-bottom: 1px solid var(--line); padding: .3em .8em; text-align: left; white-space: nowrap; }
            #tip { position: fixed; display: none; pointer-events: none; background: var(--text); color: var(--page); padding: .3em .6em; border-radius: 4px; white-space: pre; z-index: 1; }
            label { color: var(--faint); }
            </style>
            </head>
            <body>
            <h1>/*TITLE*/</h1>
            <p class="legend" id="legend"></p>
            <label>zoom <input id="zoom" type="range" min="1" max="20" step="0.5" value="1"></label>
            <div id="charts"></div>
            <div id="tables"></div>
            <div id="tip" role="tooltip"></div>
            <script>
            'use strict';
            const data = /*DATA*/;
            const svgNames = 'http://www.w3.org/2000/svg';
            const left = 64, laneHeight = 26, gap = 4;
            const words = {forward: 'forward', backward: 'backward', input: 'input gradient', weight: 'weight gradient', message: 'message or wait', end: 'end of step'};
            const tip = document.getElementById('tip');
            function element(parent, name, attributes, text) {
              const e = document.createElementNS(svgNames, name);
              for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
              if (text !== undefined) e.textContent = text;
              parent.appendChild(e);
              return e;
            }
            function html(parent, name, text, className) {
              const e = document.createElement(name);
              if (text !== undefined) e.textContent = text;
              if (className) e.className = className;
              parent.appendChild(e);
              return e;
            }
            function time(s) { return s === 0 ? '0' : s >= 1 ? s.toPrecision(4) + ' s' : s >= 1e-3 ? (s * 1e3).toPrecision(4) + ' ms' : (s * 1e6).toPrecision(4) + ' us'; }
            function bytes(b) { let i = 0; while (b >= 1024 && i < 5) { b /= 1024; i++; } return b.toFixed(i ? 2 : 0) + ' ' + ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'][i]; }
            function hover(node, text) {
              node.addEventListener('mousemove', e => {
                tip.textContent = text(e);
                tip.style.display = 'block';
                tip.style.left = Math.min(e.clientX + 12, innerWidth - tip.offsetWidth - 8) + 'px';
                tip.style.top = Math.min(e.clientY + 12, innerHeight - tip.offsetHeight - 8) + 'px';
              });
              node.addEventListener('mouseleave', () => { tip.style.display = 'none'; });
            }
            function chart(title, height) {
              const charts = document.getElementById('charts');
              html(charts, 'h2', title);
              const box = html(charts, 'div', undefined, 'scroll');
              const width = Math.max(600, document.body.clientWidth - 8) * Number(document.getElementById('zoom').value);
              return {svg: element(box, 'svg', {width, height, role: 'img', 'aria-label': title}), width: width - left - 12};
            }
            function axis(svg, width, seconds, y) {
              for (let i = 0; i <= 10; i++) {
                const x = left + width * i / 10;
                element(svg, 'line', {x1: x, x2: x, y1: 0, y2: y, stroke: 'var(--line)'});
                element(svg, 'text', {x, y: y + 14, 'text-anchor': i === 10 ? 'end' : 'middle'}, time(seconds * i / 10));
              }
            }
            // Timelines share one scale, so that predicted and measured can be compared by eye.
            const longest = Math.max(1e-12, ...data.timelines.map(t => t.seconds));
            function timeline(t) {
              const height = t.ranks.length * (laneHeight + gap);
              const {svg, width} = chart(t.name + ': ' + time(t.seconds) + ' a step', height + 20);
              axis(svg, width, longest, height);
              t.ranks.forEach((program, rank) => {
                const y = rank * (laneHeight + gap);
                element(svg, 'text', {x: 4, y: y + 17}, 'rank ' + rank);
                element(svg, 'rect', {x: left, y, width, height: laneHeight, fill: 'var(--lane)'});
                for (const [label, kind, start, end] of program) {
                  const w = (end - start) / longest * width;
                  if (w <= 0) continue;
                  const x = left + start / longest * width;
                  const bar = element(svg, 'rect', {x, y, width: Math.max(w - 0.5, 0.3), height: laneHeight, fill: `var(--${kind})`, 'fill-opacity': kind === 'message' ? 0.35 : 1});
                  hover(bar, () => `rank ${rank}  ${label}  (${words[kind]})\\n${time(start)} to ${time(end)}, ${time(end - start)}`);
                  if (w > 8 * label.length && kind !== 'message') {
                    element(svg, 'text', {x: x + w / 2, y: y + 17, 'text-anchor': 'middle', style: 'fill: var(--on); pointer-events: none'}, label);
                  }
                }
              });
            }
            function memory() {
              const rowHeight = 60;
              const held = data.memory.flat().reduce((most, p) => Math.max(most, p[1]), 0);
              // A capacity far above what is held would flatten the curves.
              const limit = data.capacity <= 3 * held ? data.capacity : 0;
              const most = Math.max(limit, held);
              const height = data.memory.length * (rowHeight + gap);
              const {svg, width} = chart('memory over time' + (limit ? ', line: ' + bytes(limit) : ', full height: ' + bytes(most) + (data.capacity ? ' of ' + bytes(data.capacity) : '')), height + 20);
              axis(svg, width, longest, height);
              data.memory.forEach((points, rank) => {
                const base = rank * (rowHeight + gap) + rowHeight;
                const y = b => base - b / most * rowHeight;
                const x = s => left + s / longest * width;
                element(svg, 'text', {x: 4, y: base - rowHeight / 2}, 'rank ' + rank);
                let path = `M${left} ${base}`;
                points.forEach((p, i) => { path += `L${x(p[0])} ${i ? y(points[i - 1][1]) : base}L${x(p[0])} ${y(p[1])}`; });
                path += `L${x(data.timelines[0].seconds)} ${y(points[points.length - 1][1])}L${x(data.timelines[0].seconds)} ${base}Z`;
                const area = element(svg, 'path', {d: path, fill: 'var(--forward)', 'fill-opacity': 0.5, stroke: 'var(--forward)'});
                const peak = points.reduce((a, b) => b[1] > a[1] ? b : a);
                hover(area, e => {
                  const s = (e.clientX - svg.getBoundingClientRect().left - left) / width * longest;
                  const now = points.filter(p => p[0] <= s).pop() || points[0];
                  return `rank ${rank}  ${bytes(now[1])} at ${time(Math.max(0, s))}\\npeak ${bytes(peak[1])} at ${time(peak[0])}`;
                });
                if (limit) element(svg, 'line', {x1: left, x2: left + width, y1: y(limit), y2: y(limit), stroke: 'var(--limit)', 'stroke-dasharray': '4 3'});
              });
            }
            function draw() {
              document.getElementById('charts').textContent = '';
              data.timelines.forEach(timeline);
              if (data.memory.length) memory();
            }
            for (const [kind, word] of Object.entries(words)) {
              if (!data.timelines.some(t => t.ranks.some(r => r.some(i => i[1] === kind)))) continue;
              const entry = html(document.getElementById('legend'), 'span');
              html(entry, 'i').style.background = `var(--${kind})`;
              entry.append(word);
            }
            for (const table of data.tables) {
              const place = document.getElementById('tables');
              html(place, 'h2', table.title);
              const body = html(html(place, 'div', undefined, 'scroll'), 'table');
              table.rows.forEach((row, i) => { const tr = html(body, 'tr'); row.forEach(cell => html(tr, i ? 'td' : 'th', cell)); });
            }
            document.getElementById('zoom').addEventListener('input', draw);
            addEventListener('resize', draw);
            draw();
            </script>
            </body>
            </html>
            """;

    private TimelineTemplate() {}
}
