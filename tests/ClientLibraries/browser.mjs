// A person with a browser that has cookies and no script: opens pages, fills forms in, follows redirects, up to the client's own address.

export class Browser {
  #cookies = new Map()

  constructor({ email, password }) {
    Object.assign(this, { email, password })
  }

  async open(url, form) {
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      body: form,
    })
    for (const cookie of response.headers.getSetCookie()) {
      const [name, value] = cookie.split(';')[0].split(/=(.*)/s)
      this.#cookies.set(name, value)
    }
    return response
  }

  // Goes on until it is led back to the client. Returns that address, or the form that is posted there.
  async walk(url, back, choices = {}) {
    let response = await this.open(url)
    for (let step = 0; step < 12; step++) {
      const location = response.headers.get('location')
      if (location) {
        url = new URL(location, url).href
        if (url.startsWith(back)) return { url: new URL(url) }
        response = await this.open(url)
        continue
      }
      const html = await response.text()
      const form = html.match(/<form method="post" action="([^"]+)">([\s\S]*?)<\/form>/)
      if (!form) return { html, status: response.status }
      const fields = new URLSearchParams()
      for (const [, name, value] of form[2].matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)) fields.set(name, decode(value))
      const action = new URL(decode(form[1]), url).href
      if (action.startsWith(back)) return { url: new URL(action), form: fields }
      if (form[2].includes('name="password"')) {
        fields.set('email', this.email)
        fields.set('password', this.password)
      }
      if (form[2].includes('name="user_code"') && choices.user_code) fields.set('user_code', choices.user_code)
      if (form[2].includes('name="decision"')) fields.set('decision', choices.decision ?? form[2].match(/name="decision" value="([^"]+)"/)[1])
      url = action
      response = await this.open(action, fields)
    }
    throw new Error(`it goes round and round at ${url}`)
  }
}

const decode = (html) => html
  .replace(/&#x([0-9a-f]+);/gi, (_, hex) => String.fromCodePoint(parseInt(hex, 16))).replace(/&#(\d+);/g, (_, number) => String.fromCodePoint(Number(number)))
  .replace(/&quot;/g, '"').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&')
