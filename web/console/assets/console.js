// What the console does beyond plain pages: shortcuts, copying, dialogs. Everything else works without.
(() => {
  "use strict";
  const typing = (el) => el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName));
  const say = (text) => {
    let live = document.getElementById("u-live");
    if (!live) {
      live = document.createElement("div");
      live.id = "u-live";
      live.className = "visually-hidden";
      live.setAttribute("role", "status");
      document.body.append(live);
    }
    live.textContent = text;
  };

  let awaiting = 0; // until when a letter behind g is taken
  document.addEventListener("keydown", (e) => {
    if (e.key === "Escape") {
      for (const d of document.querySelectorAll("details.u-drop[open]")) {
        d.open = false;
        d.querySelector("summary").focus();
      }
      return;
    }
    if (e.ctrlKey || e.metaKey || e.altKey || typing(e.target) || document.querySelector("dialog[open]")) return;
    if (e.key === "/") {
      const search = document.getElementById("search");
      if (search) { e.preventDefault(); search.focus(); search.select(); }
    } else if (e.key === "?") {
      const help = document.getElementById("help");
      if (help) { e.preventDefault(); help.showModal(); }
    } else if (Date.now() < awaiting) {
      awaiting = 0;
      const there = document.querySelector(`#navigation a[data-key="${CSS.escape(e.key)}"]`);
      if (there) { e.preventDefault(); location.assign(there.href); }
    } else if (e.key === "g") {
      awaiting = Date.now() + 1500;
    }
  });

  const copy = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
      button.focus();
    }
    const label = button.querySelector("span");
    if (label) label.textContent = "Copied";
    say("Copied");
  };

  document.addEventListener("click", (e) => {
    const el = e.target.closest("[data-open],[data-copy],[data-copy-text],[data-check-all]");
    for (const d of document.querySelectorAll("details.u-drop[open]")) {
      if (!d.contains(e.target)) d.open = false;
    }
    if (!el) return;
    if (el.dataset.open) document.getElementById(el.dataset.open).showModal();
    if (el.dataset.copy) copy(document.getElementById(el.dataset.copy).value, el);
    if (el.dataset.copyText) copy(el.dataset.copyText, el);
    if (el.dataset.checkAll !== undefined) {
      for (const box of el.closest("form,table").querySelectorAll(`input[type=checkbox][name="${CSS.escape(el.dataset.checkAll)}"]`)) box.checked = el.checked;
    }
  });
  document.addEventListener("focusin", (e) => { if (e.target.matches("[data-select]")) e.target.select(); });
  document.addEventListener("change", (e) => { if (e.target.matches("[data-submit]")) e.target.form.requestSubmit(); });

  // What a job does shows as it goes: the server sends the part of the page again whenever it is another. A tab that nobody sees
  // follows nothing, since a browser keeps few connections to a server.
  for (const part of document.querySelectorAll("[data-events]")) {
    const again = part.parentElement.querySelector("[data-again]");
    let source, over = false, told = "";
    const follow = () => {
      source = new EventSource(part.dataset.events);
      source.onopen = () => { again.hidden = true; };
      source.onerror = () => { again.hidden = false; };
      source.addEventListener("progress", (e) => {
        part.innerHTML = e.data;
        const now = [...part.querySelectorAll("[data-told]")].map((el) => el.textContent.trim()).join(", ");
        if (now !== told) say(told = now);
      });
      source.addEventListener("over", () => {
        over = true;
        source.close();
        if (part.dataset.over !== "stay") location.reload(); // what can be done with it is different now
      });
    };
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) source?.close();
      else if (!over) follow();
    });
    if (!document.hidden) follow();
  }

  const wrong = document.querySelector("[aria-invalid=true]");
  if (wrong) wrong.focus();
  // What htmx could not get is said, and not left to silence.
  document.addEventListener("htmx:sendError", () => say("Usher did not answer. Check the connection."));
  document.addEventListener("htmx:responseError", (e) => { if (e.detail.xhr.status >= 500) say("Something went wrong inside Usher."); });
})();
