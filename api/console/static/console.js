// What the pages do with a script; each of them is whole without.
"use strict";

// The viewer's own time beside UTC.
function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      time.title = at.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
    }
  }
}

// Buttons that copy what stands beside them.
function copyButtons(root) {
  for (const button of root.querySelectorAll("button[data-copies]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const from = document.getElementById(button.dataset.copies);
      await navigator.clipboard.writeText(from.value ?? from.textContent.trim());
      const before = button.textContent;
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = before; }, 2000);
    });
  }
}

// The secret of a link follows "#": it goes into the form, and out of the address and the history.
function linkSecret() {
  const form = document.getElementById("link-form");
  const secret = location.hash.slice(1);
  if (form && secret) {
    form.elements.code.value = secret;
    document.getElementById("link-code").hidden = true;
    history.replaceState(null, "", location.pathname);
    form.querySelector("button").focus();
  }
}

// Live requests. The state is told as it is; what was missed is asked for again by its number.
function live() {
  const table = document.getElementById("live-rows");
  if (!table) return;
  const state = document.getElementById("live-state");
  const counted = document.getElementById("live-count");
  const address = table.dataset.stream;
  const most = 500;
  let after = Number(table.dataset.after);
  let seen = 0;
  let source = null;
  let paused = false;
  let wait = 1000;

  const tell = (word, text) => { state.className = "state " + word; state.textContent = text; };
  const cell = (text, className) => {
    const td = document.createElement("td");
    td.textContent = text;
    if (className) td.className = className;
    return td;
  };
  const add = (row) => {
    table.prepend(row);
    while (table.rows.length > most) table.deleteRow(table.rows.length - 1);
  };
  const shown = (event) => {
    const request = JSON.parse(event.data);
    after = request.number;
    seen += 1;
    counted.textContent = String(seen);
    const row = document.createElement("tr");
    const link = document.createElement("a");
    link.href = request.href;
    link.textContent = String(request.number);
    const first = document.createElement("td");
    first.append(link);
    const time = document.createElement("time");
    time.dateTime = request.at;
    time.textContent = request.at.slice(11, 19);
    const when = document.createElement("td");
    when.append(time);
    const status = cell((request.failed ? "! " : "") + request.status, "number");
    if (request.failed) row.className = "failed";
    row.append(first, when, cell(request.operation), status,
      cell(request.readings.join(", ")), cell(request.millis.toFixed(1), "number"), cell(request.asked, "long"));
    localTimes(row);
    add(row);
  };
  const gap = (event) => {
    const { from, to } = JSON.parse(event.data);
    after = to;
    const row = document.createElement("tr");
    row.className = "gap";
    const td = document.createElement("td");
    td.colSpan = 7;
    td.textContent = `Not shown here: requests ${from} to ${to}. The list of requests has them.`;
    row.append(td);
    add(row);
  };
  const open = () => {
    source = new EventSource(`${address}?after=${after}`);
    source.addEventListener("connected", () => { wait = 1000; tell("connected", "Connected"); });
    source.addEventListener("request", shown);
    source.addEventListener("gap", gap);
    source.addEventListener("over", () => {
      source.close();
      source = null;
      tell("stopped", "Stopped: your session has ended. Sign in again.");
    });
    source.onerror = () => {
      // Ours alone decides when to come back: a browser gives up for ever after a 503.
      source.close();
      source = null;
      const since = new Date().toLocaleTimeString();
      tell("reconnecting", `Reconnecting since ${since}; nothing is lost`);
      setTimeout(() => { if (!paused && !source) open(); }, wait);
      wait = Math.min(wait * 2, 15000);
    };
  };
  const button = document.getElementById("live-pause");
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.textContent = paused ? "Continue" : "Pause";
    if (paused && source) {
      source.close();
      source = null;
      tell("stopped", "Paused; Continue shows what came meanwhile");
    } else if (!paused) {
      open();
    }
  });
  open();
}

localTimes(document);
copyButtons(document);
linkSecret();
live();
document.body.addEventListener("htmx:afterSwap", () => localTimes(document));
