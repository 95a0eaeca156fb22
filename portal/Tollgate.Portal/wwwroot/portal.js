// The few things that a page cannot do from the server: theme, clipboard, modal dialogs, the visitor's time zone, coming back after a lost connection.
// One file, no inline script, so that the content security policy can say script-src 'self'.
(() => {
  const year = 31536000;
  const keep = (name, value) => {
    document.cookie = `${name}=${encodeURIComponent(value)}; path=/; max-age=${year}; samesite=lax${location.protocol === 'https:' ? '; secure' : ''}`;
  };

  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes(`tg-zone=${encodeURIComponent(zone)}`)) keep('tg-zone', zone);

  // What is typed or pressed before a page is live would be lost, so its controls wait: Blazor puts its own elements, which do not, in their place.
  // A part that was there before the visitor went on to another page is live, or waits already: its marker is the same.
  const controls = 'input, select, textarea, button';
  const waitForLife = (parts) => {
    for (const part of parts) {
      for (let node = part.nextSibling; node && !isMarker(node); node = node.nextSibling) {
        if (!(node instanceof Element)) continue;
        for (const control of [node, ...node.querySelectorAll(controls)]) {
          if (!control.matches(controls) || control.disabled || control.closest('form[method="post"]')) continue;
          control.disabled = true;
          control.dataset.waiting = '';
        }
      }
    }
  };
  // What Blazor brings in place of a page without loading it anew is marked in other words.
  const isMarker = (node) => node.nodeType === Node.COMMENT_NODE && /^(Blazor:|\/?bl-root)/.test(node.data);
  const liveParts = () => {
    const found = [];
    for (const comments = document.createTreeWalker(document.body, NodeFilter.SHOW_COMMENT); comments.nextNode();) {
      if (/^(Blazor:\{"type"|bl-root)/.test(comments.currentNode.data)) found.push(comments.currentNode);
    }
    return found;
  };
  const known = new WeakSet();
  const waitForNewParts = () => {
    const parts = liveParts().filter((part) => !known.has(part));
    for (const part of parts) known.add(part);
    waitForLife(parts);
  };
  waitForNewParts();
  addEventListener('load', () => Blazor.addEventListener('enhancedload', waitForNewParts));

  const isDark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  };

  const copy = async (button) => {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {    // no permission, or a page over plain http: the old way still works
      const area = document.createElement('textarea');
      area.value = text;
      (button.closest('dialog') ?? document.body).append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
      button.focus();
    }
    button.dataset.copied = 'true';
    const live = document.getElementById('announcer');
    if (live) live.textContent = 'Copied to the clipboard';
    setTimeout(() => { delete button.dataset.copied; if (live) live.textContent = ''; }, 1800);
  };

  document.addEventListener('click', (event) => {
    const target = event.target instanceof Element ? event.target : null;
    if (!target) return;
    if (target.closest('[data-theme-toggle]')) {
      const theme = isDark() ? 'light' : 'dark';
      document.documentElement.dataset.theme = theme;
      keep('tg-theme', theme);
      return;
    }
    const copyButton = target.closest('[data-copy]');
    if (copyButton) { copy(copyButton); return; }
    if (target.closest('[data-reload]')) location.reload();
  });

  // A dialog that a page renders opens as a modal: the browser then keeps the focus inside and the rest inert. Escape presses its own cancel button.
  const openModals = () => document.querySelectorAll('dialog[data-modal]:not([open])').forEach((dialog) => dialog.showModal());
  document.addEventListener('cancel', (event) => {
    if (!(event.target instanceof HTMLDialogElement) || !event.target.matches('[data-modal]')) return;
    event.preventDefault();
    event.target.querySelector('[data-cancel]')?.click();
  }, true);
  new MutationObserver(openModals).observe(document.documentElement, { childList: true, subtree: true });

  // A menu made of <details> closes when something else is clicked, or with Escape.
  const closeMenus = (except) => document.querySelectorAll('details[data-menu][open]').forEach((menu) => { if (menu !== except) menu.open = false; });
  document.addEventListener('click', (event) => closeMenus(event.target instanceof Element ? event.target.closest('details[data-menu]') : null));
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape') return;
    const open = document.querySelector('details[data-menu][open]');
    if (open) { open.open = false; open.querySelector('summary')?.focus(); }
  });
})();
