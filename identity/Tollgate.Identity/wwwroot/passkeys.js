// The one thing that an account page cannot do without script: ask the browser for a passkey, at the press of a button or beside remembered addresses, and put its answer into the form.
(() => {
  const form = document.querySelector('form[data-passkey]');
  if (!form) return;
  const note = form.querySelector('[data-note]');
  const say = (text) => { note.textContent = text; note.hidden = false; };
  const isOffer = form.dataset.passkey === 'offer';
  if (!window.PublicKeyCredential) {
    if (isOffer) return;
    say('This browser knows no passkeys, or the page is not on https.');
    return;
  }

  const decode = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
  const encode = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');
  const each = (list) => (list ?? []).map((one) => ({ ...one, id: decode(one.id) }));
  const isNew = form.dataset.passkey === 'create';

  const ask = async () => {
    const options = JSON.parse(form.dataset.options);
    options.challenge = decode(options.challenge);
    if (isNew) {
      options.user.id = decode(options.user.id);
      options.excludeCredentials = each(options.excludeCredentials);
      return navigator.credentials.create({ publicKey: options });
    }
    options.allowCredentials = each(options.allowCredentials);
    return navigator.credentials.get(isOffer ? { publicKey: options, mediation: 'conditional' } : { publicKey: options });
  };

  const write = (credential) => {
    const { response } = credential;
    const answer = { clientDataJSON: encode(response.clientDataJSON) };
    if (isNew) {
      answer.attestationObject = encode(response.attestationObject);
      answer.transports = response.getTransports?.() ?? [];
    } else {
      answer.authenticatorData = encode(response.authenticatorData);
      answer.signature = encode(response.signature);
      answer.userHandle = response.userHandle ? encode(response.userHandle) : null;
    }
    return JSON.stringify({
      id: credential.id,
      rawId: encode(credential.rawId),
      type: credential.type,
      authenticatorAttachment: credential.authenticatorAttachment ?? null,
      clientExtensionResults: credential.getClientExtensionResults(),
      response: answer,
    });
  };

  if (isOffer) {
    // Beside the remembered addresses of the e-mail field; the browser waits for as long as the page is there.
    (async () => {
      if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
      const credential = await ask();
      if (!credential) return;
      form.elements.namedItem('credential').value = write(credential);
      form.submit();
    })().catch(() => {});
    return;
  }

  form.addEventListener('submit', async (event) => {
    const field = form.elements.namedItem('credential');
    if (field.value) return;
    event.preventDefault();
    note.hidden = true;
    try {
      const credential = await ask();
      if (!credential) return;
      field.value = write(credential);
      form.submit();
    } catch (reason) {
      say(reason.name === 'InvalidStateError' ? 'This device holds a passkey of yours already.' : 'Nothing was chosen, or it took too long. Try it once more.');
    }
  });
})();
