// The certified relying party library openid-client, against a running identity service.
import assert from 'node:assert/strict'
import { importJWK } from 'jose'
import * as oidc from 'openid-client'
import { Browser } from './browser.mjs'

const { ISSUER, EMAIL, PASSWORD, PRIVATE_JWK, REGISTRATION_TOKEN } = process.env
const issuer = new URL(ISSUER)
const insecure = { execute: [oidc.allowInsecureRequests] }
const back = 'http://127.0.0.1:9/cb'
const client = (id, secret, auth) => oidc.discovery(issuer, id, secret, auth, insecure)
const done = (what) => console.log(`ok ${what}`)

const web = await client('web', 'web secret')
const person = new Browser({ email: EMAIL, password: PASSWORD })

async function signIn(config, parameters = {}, url) {
  const checks = {
    pkceCodeVerifier: oidc.randomPKCECodeVerifier(), expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), idTokenExpected: true,
  }
  const all = {
    redirect_uri: back, scope: 'openid profile email offline_access weather.read', state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge: await oidc.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: 'S256', ...parameters,
  }
  const answer = await person.walk((url ? await url(all) : oidc.buildAuthorizationUrl(config, all)).href, back)
  return { answer, checks }
}

{
  const { answer, checks } = await signIn(web, { max_age: '300' })
  const tokens = await oidc.authorizationCodeGrant(web, answer.url, { ...checks, maxAge: 300 })
  const { sub, auth_time, amr } = tokens.claims()
  assert.ok(sub && auth_time && amr.includes('pwd'))
  const info = await oidc.fetchUserInfo(web, tokens.access_token, sub)
  assert.equal(info.email, EMAIL)
  done('code flow, id_token, userinfo')

  assert.equal((await oidc.tokenIntrospection(web, tokens.access_token)).active, true)
  const refreshed = await oidc.refreshTokenGrant(web, tokens.refresh_token)
  assert.notEqual(refreshed.refresh_token, tokens.refresh_token)
  assert.equal(refreshed.claims().sub, sub)
  await oidc.tokenRevocation(web, refreshed.refresh_token)
  assert.equal((await oidc.tokenIntrospection(web, refreshed.access_token)).active, false)
  await assert.rejects(oidc.refreshTokenGrant(web, refreshed.refresh_token), { error: 'invalid_grant' })
  done('refresh, introspection, revocation')
}

{
  const { answer, checks } = await signIn(web, { response_mode: 'form_post' })
  const posted = new Request(answer.url, { method: 'POST', body: answer.form })
  assert.ok((await oidc.authorizationCodeGrant(web, posted, checks)).access_token)
  done('form_post')
}

{
  const { answer } = await signIn(web, { prompt: 'none', scope: 'openid' })
  assert.ok(answer.url.searchParams.get('code'))
  const { answer: refused, checks } = await signIn(web, { scope: 'nothing' })
  await assert.rejects(oidc.authorizationCodeGrant(web, refused.url, checks), { error: 'invalid_scope' })
  done('prompt=none, errors')
}

{
  const { answer, checks } = await signIn(web, {}, (all) => oidc.buildAuthorizationUrlWithPAR(web, all))
  assert.ok((await oidc.authorizationCodeGrant(web, answer.url, checks)).id_token)
  done('pushed authorization requests')
}

{
  const spa = await client('spa', undefined, oidc.None())
  const key = await oidc.randomDPoPKeyPair('ES256')
  const DPoP = oidc.getDPoPHandle(spa, key)
  const { answer, checks } = await signIn(spa, { dpop_jkt: await DPoP.calculateThumbprint() })
  const tokens = await oidc.authorizationCodeGrant(spa, answer.url, checks, undefined, { DPoP })
  assert.equal(tokens.token_type, 'dpop')
  assert.equal((await oidc.fetchUserInfo(spa, tokens.access_token, tokens.claims().sub, { DPoP })).email, EMAIL)
  assert.equal((await oidc.refreshTokenGrant(spa, tokens.refresh_token, undefined, { DPoP })).token_type, 'dpop')
  await assert.rejects(oidc.fetchUserInfo(spa, tokens.access_token, tokens.claims().sub))
  done('a public client with DPoP')
}

for (const [name, auth] of [['basic', oidc.ClientSecretBasic], ['post', oidc.ClientSecretPost]]) {
  const worker = await client('worker', 'worker secret: with/odd+characters%', auth('worker secret: with/odd+characters%'))
  assert.equal((await oidc.clientCredentialsGrant(worker, { scope: 'weather.read' })).token_type, 'bearer')
  done(`client_credentials with client_secret_${name}`)
}

{
  const partner = await client('partner', undefined, oidc.PrivateKeyJwt(await importJWK(JSON.parse(PRIVATE_JWK), 'ES256')))
  assert.ok((await oidc.clientCredentialsGrant(partner, { scope: 'weather.read', resource: 'https://weather.example' })).access_token)
  done('private_key_jwt, resource indicators')
}

{
  const device = await client('device', undefined, oidc.None())
  const begun = await oidc.initiateDeviceAuthorization(device, { scope: 'openid offline_access' })
  const polling = oidc.pollDeviceAuthorizationGrant(device, begun)
  const answer = await person.walk(begun.verification_uri_complete, 'nowhere:', { user_code: begun.user_code, decision: 'allow' })
  assert.match(answer.html, /device is connected/)
  assert.ok((await polling).refresh_token)
  done('device flow')
}

{
  const made = await oidc.dynamicClientRegistration(issuer, { client_name: 'made', redirect_uris: [back], scope: 'openid' }, undefined, { ...insecure, initialAccessToken: REGISTRATION_TOKEN })
  const { answer, checks } = await signIn(made, { scope: 'openid' })
  assert.ok((await oidc.authorizationCodeGrant(made, answer.url, checks)).id_token)
  done('dynamic registration')
}

{
  const { answer, checks } = await signIn(web)
  const tokens = await oidc.authorizationCodeGrant(web, answer.url, checks)
  const leaving = oidc.buildEndSessionUrl(web, { id_token_hint: tokens.id_token, post_logout_redirect_uri: 'http://127.0.0.1:9/bye', state: 'x' })
  assert.equal((await person.walk(leaving.href, 'http://127.0.0.1:9/bye')).url.searchParams.get('state'), 'x')
  const { answer: after } = await signIn(web, { prompt: 'none' })
  assert.equal(after.url.searchParams.get('error'), 'login_required')
  done('sign-out')
}
console.log('all is well')
