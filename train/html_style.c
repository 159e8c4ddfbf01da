/* SPDX-License-Identifier: MIT */
/* How pages look. The hues are those of Okabe and Ito ("Color universal design", 2008), which are
 * told apart with any colour vision, darkened or lightened to stand on white and on black; numbers
 * and patterns say the same again. Widths are those of a phone first: what is wide (tables) scrolls
 * in a box of its own. The script only adds to what is there: sorting by a click on a table's head,
 * and bringing out the number under the pointer. It holds neither < nor &, so that it is XML too. */
#include "train/html.h"

/* clang-format off */
const char *const at_html_style[] = {
/* colours */
":root{color-scheme:light dark;--bg:#fdfdfc;--card:#f5f6f7;--ink:#1a1d21;--dim:#59616b;--rule:#dfe3e7;"
"--axis:#8a919c;--good:#0a6b42;--warn:#8a4b00;--warnbg:#fff4e0;--link:#0a5ea8;--on:#fff;--cell:#1f6fb4;"
"--c0:#0072b2;--c1:#c9530a;--c2:#00805c;--c3:#b0468c;--c4:#946800;--c5:#2f86bd;--c6:#5a6068;--c7:#7a3b12}\n"
"@media(prefers-color-scheme:dark){:root{--bg:#14171b;--card:#1d2126;--ink:#e7e9ec;--dim:#a2abb6;"
"--rule:#2d333a;--axis:#6c7480;--good:#5fd39b;--warn:#ffbf66;--warnbg:#33270f;--link:#7cbcf5;--on:#111418;"
"--cell:#3f8fd8;--c0:#4fa9ea;--c1:#ff8e4d;--c2:#3fc796;--c3:#e996cc;--c4:#efb53c;--c5:#9ad4fb;--c6:#b4bac3;"
"--c7:#cf9561}}\n"
".h0{--c:var(--c0)}.h1{--c:var(--c1)}.h2{--c:var(--c2)}.h3{--c:var(--c3)}.h4{--c:var(--c4)}.h5{--c:var(--c5)}"
".h6{--c:var(--c6)}.h7{--c:var(--c7)}\n",
/* the page */
"*{box-sizing:border-box}\n"
"html{-webkit-text-size-adjust:100%;text-size-adjust:100%}\n"
"body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,"
"'Noto Sans','DejaVu Sans',sans-serif;font-variant-numeric:tabular-nums}\n"
"main{max-width:1240px;margin:0 auto;padding:clamp(18px,4vw,48px) clamp(16px,4vw,40px)}\n"
"h1{font-size:clamp(1.65rem,5vw,2.4rem);line-height:1.15;letter-spacing:-.018em;margin:0 0 .4rem;"
"overflow-wrap:anywhere}\n"
"h2{font-size:1.35rem;line-height:1.25;letter-spacing:-.01em;margin:3.2rem 0 .8rem;padding-top:1.1rem;"
"border-top:1px solid var(--rule)}\n"
"h3 small{font-weight:400}h3{font-size:1.02rem;line-height:1.3;margin:1.6rem 0 .5rem;overflow-wrap:anywhere}\n"
"p,ul{max-width:72ch;margin:.6rem 0}ul{padding-left:1.2rem}li{margin:.25rem 0}\n"
"a{color:var(--link)}small,.dim{color:var(--dim)}code{font:.92em ui-monospace,SFMono-Regular,Menlo,Consolas,"
"'DejaVu Sans Mono',monospace;overflow-wrap:anywhere}\n"
".over{font-size:.8rem;letter-spacing:.06em;text-transform:uppercase;color:var(--dim);margin:0 0 .5rem}\n"
".lead{font-size:1.1rem;line-height:1.5;max-width:66ch}\n"
".notice{background:var(--warnbg);border-left:4px solid var(--warn);padding:.7rem 1rem;border-radius:0 6px 6px 0;"
"max-width:none}\n"
"nav{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;font-size:.92rem;margin:1.4rem 0 0}\n"
"nav a{text-decoration:none;padding:.25rem 0}nav a:hover{text-decoration:underline}\n"
"footer{margin-top:4rem;border-top:1px solid var(--rule);color:var(--dim);font-size:.85rem}\n"
".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(138px,1fr));gap:.7rem;margin:1.4rem 0}\n"
".tiles div{background:var(--card);border-radius:10px;padding:.75rem .9rem}\n"
".tiles dt{font-size:.8rem;color:var(--dim)}.tiles dd{margin:.1rem 0 0;font-size:1.35rem;line-height:1.25;"
"font-weight:600;overflow-wrap:anywhere}.tiles small{display:block;font-size:.78rem;font-weight:400}\n"
".facts{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.2rem;margin:1rem 0}"
".facts dt{color:var(--dim)}.facts dd{margin:0;overflow-wrap:anywhere}\n",
/* tables */
".scroll{overflow-x:auto;margin:1rem 0;-webkit-overflow-scrolling:touch}\n"
"table{border-collapse:collapse;font-size:.88rem;line-height:1.4;min-width:100%}\n"
"th,td{padding:.42rem .6rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--rule)}\n"
"th{color:var(--dim);font-weight:500;font-size:.8rem;vertical-align:bottom;white-space:normal}thead th{border-bottom-color:var(--axis)}\n"
"th.t,td.t{text-align:left}td.n{text-align:left;white-space:normal;min-width:12.5rem;max-width:24rem;"
"overflow-wrap:anywhere;position:sticky;left:0;background:var(--bg)}td small{font-size:.86em}\n"
"table.sorts thead th{cursor:pointer}th[aria-sort=ascending]::after{content:' \\2191'}"
"th[aria-sort=descending]::after{content:' \\2193'}\n"
"tbody tr:hover,tbody tr:hover td.n{background:var(--card)}td svg{display:block}td b{font-weight:650}\n"
"td.bar{min-width:7rem;padding-bottom:.62rem;background:linear-gradient(var(--cell),var(--cell)) left .35rem bottom 5px/"
"calc((100% - .7rem)*var(--v)) 3px no-repeat}\n",
/* numbers of what is compared */
".k{display:inline-block;min-width:1.55em;padding:0 .3em;border:1.5px solid var(--c);border-radius:5px;"
"background:var(--c);color:var(--on);font-size:.8em;font-weight:600;line-height:1.5;text-align:center;"
"margin-right:.45em;vertical-align:.06em}\n"
".k.p1{background:none;color:var(--c)}.k.p2{background:none;color:var(--c);border-style:dashed}"
".k.p3{background:none;color:var(--c);border-style:dotted}\n"
".key{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;font-size:.88rem;margin:.8rem 0;padding:0;list-style:none;"
"max-width:none}.key li{margin:0;overflow-wrap:anywhere}\n",
/* charts */
".charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,380px),1fr));gap:1.2rem 2rem;"
"margin:1rem 0}\n"
".small{grid-template-columns:repeat(auto-fill,minmax(min(100%,255px),1fr))}\n"
"@media(max-width:640px){td.n{min-width:9.5rem;max-width:10.5rem}}\n"
"figure{margin:0;min-width:0}.charts figure{max-width:580px}figcaption{font-size:.9rem;margin-bottom:.4rem;overflow-wrap:anywhere}"
"figcaption small{font-size:.85em}\n"
"svg.chart{display:block;width:100%;height:auto;overflow:visible}\n"
"svg text{font:12.5px system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif;"
"font-variant-numeric:tabular-nums}\n"
".bg{fill:none}.ink{fill:var(--ink)}.dim{fill:var(--dim)}.on,.number{fill:var(--on)}"
".title{fill:var(--ink);font-weight:600}svg .small{fill:var(--ink);font-size:11px}"
"svg .smallon{fill:#fff;font-size:11px}.cell{fill:var(--cell)}.frame{fill:none;stroke:var(--axis)}\n"
".grid{stroke:var(--rule)}.axis{stroke:var(--axis)}.whisker{stroke:var(--c);stroke-width:1.6}"
".guide{fill:none;stroke:var(--axis);stroke-dasharray:2 4}\n"
".line{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
".p1 .line{stroke-dasharray:7 5}.p2 .line{stroke-dasharray:1 4.5}.p3 .line{stroke-dasharray:9 4 1 4}\n"
".band{fill:var(--c);opacity:.14}.dot,.bars rect{fill:var(--c)}.p1 .dot{fill:var(--bg);stroke:var(--c);stroke-width:1.6}\n"
".mark{fill:var(--c);stroke:var(--c);stroke-width:1.6}.p1 .mark,.p2 .mark,.p3 .mark{fill:var(--bg)}"
".p2 .mark{stroke-dasharray:4 2}.p3 .mark{stroke-dasharray:1.5 2}\n"
"svg .number{font-size:11px;font-weight:600}.p1 .number,.p2 .number,.p3 .number{fill:var(--c)}\n"
"svg .end{fill:var(--c);font-size:11px;font-weight:600}\n"
".bars .p1 rect,.bars .p2 rect,.bars .p3 rect{fill:var(--c);fill-opacity:.22;stroke:var(--c)}"
".bars .p2 rect{stroke-dasharray:4 2}.bars .p3 rect{stroke-dasharray:1.5 2}"
".bars .whisker{stroke:var(--ink);stroke-width:1.2}svg .value{fill:var(--ink);font-size:11px}\n"
"@media(max-width:640px){.charts svg text{font-size:14.5px}.charts svg .end,.charts svg .value{font-size:12.5px}"
".charts svg .number{font-size:12px}.small svg text{font-size:12.5px}.small svg .end,.small svg .value{font-size:11px}}\n"
".fade{opacity:.13;transition:opacity .12s}\n",
/* differences */
".pairs{list-style:none;margin:1rem 0;padding:0;max-width:none;font-size:.92rem}\n"
".pairs li{max-width:64rem;display:grid;grid-template-columns:minmax(0,1fr) minmax(190px,340px);gap:.1rem 1.4rem;align-items:center;"
"padding:.45rem 0;margin:0;border-bottom:1px solid var(--rule)}.pairs p{margin:0;max-width:none;overflow-wrap:anywhere}"
".pairs .told{color:var(--good);font-weight:600}.ci{stroke:var(--dim);stroke-width:2}.ci.told{stroke:var(--good);"
"stroke-width:3}circle.ci{fill:var(--bg)}circle.ci.told{fill:var(--good)}\n"
"@media(max-width:640px){.pairs li{grid-template-columns:1fr}}\n",
/* pictures */
".views{display:grid;grid-template-columns:repeat(auto-fill,minmax(clamp(104px,11vw,138px),1fr));gap:.9rem .7rem;margin:.8rem 0 0}\n"
".wide{grid-template-columns:repeat(auto-fill,minmax(min(46%,200px),1fr))}\n"
".views figcaption{font-size:.8rem;line-height:1.35;margin:.3rem 0 0}\n"
".view{position:relative;line-height:0;border-radius:4px;overflow:hidden}.view img{width:100%;height:auto}"
".sharp img{image-rendering:pixelated}.view svg{position:absolute;inset:0;width:100%;height:100%}\n"
".view .under{fill:none;stroke:#000;stroke-opacity:.5;stroke-width:2.6;vector-effect:non-scaling-stroke}"
".view .edge{fill:none;stroke:#fff;stroke-width:1.1;vector-effect:non-scaling-stroke}\n"
".swatch{display:inline-block;width:.85em;height:.85em;border-radius:3px;margin-right:.4em;vertical-align:-.05em;"
"border:1px solid var(--axis)}\n",
/* commands */
"details{border-bottom:1px solid var(--rule);padding:.35rem 0;overflow-wrap:anywhere}"
"details.dim{border:0}summary{cursor:pointer;padding:.2rem 0}summary .k{margin-left:.2em}\n"
"pre{background:var(--card);border-radius:8px;padding:.8rem 1rem;margin:.5rem 0;white-space:pre-wrap;"
"overflow-wrap:anywhere;font-size:.86rem;line-height:1.5}\n"
"@media print{.fade{opacity:1}details{break-inside:avoid}nav{display:none}}\n",
NULL};

const char at_html_script[] =
"'use strict';\n"
"for (const table of document.querySelectorAll('table.sorts')) {\n"
"  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];\n"
"  const value = (row, i) => {\n"
"    const text = row.cells[i].dataset.v ?? row.cells[i].textContent.trim();\n"
"    return text === '' || isNaN(text) ? text : Number(text);\n"
"  };\n"
"  heads.forEach((head, i) => head.addEventListener('click', () => {\n"
"    const down = head.getAttribute('aria-sort') !== 'descending';\n"
"    heads.forEach(h => h.removeAttribute('aria-sort'));\n"
"    head.setAttribute('aria-sort', down ? 'descending' : 'ascending');\n"
"    const order = (a, b) => {\n"
"      const x = value(a, i), y = value(b, i);\n"
"      if (x === '' || y === '') return (x === '') - (y === '');\n"
"      const by = typeof x === 'number' ? x - y : String(x).localeCompare(String(y));\n"
"      return down ? -by : by;\n"
"    };\n"
"    body.append(...[...body.rows].sort(order));\n"
"  }));\n"
"}\n"
"for (const figures of document.querySelectorAll('[data-group]')) {\n"
"  const all = [...figures.querySelectorAll('[data-k]')];\n"
"  figures.addEventListener('pointerover', event => {\n"
"    const on = event.target.closest('[data-k]');\n"
"    all.forEach(e => e.classList.toggle('fade', on !== null ? e.dataset.k !== on.dataset.k : false));\n"
"  });\n"
"  figures.addEventListener('pointerleave', () => all.forEach(e => e.classList.remove('fade')));\n"
"}\n";
/* clang-format on */
