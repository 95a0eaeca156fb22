// oauth4webapi, certified and strict about every answer, against a running identity service.
import assert from 'node:assert/strict'
import { importJWK } from 'jose'
import * as oauth from 'oauth4webapi'
import { Browser } from './browser.mjs'

const { ISSUER, EMAIL, PASSWORD, PRIVATE_JWK } = process.env
const issuer = new URL(ISSUER)
const insecure = { [oauth.allowInsecureRequests]: true }
const back = 'http://127.0.0.1:9/cb'
const done = (what) => console.log(`ok ${what}`)
const person = new Browser({ email: EMAIL, password: PASSWORD })

for (const algorithm of ['oidc', 'oauth2'])
  assert.equal((await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm, ...insecure }))).issuer, ISSUER)
const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure))
done('both discovery documents')

async function signIn(client, auth, more = {}) {
  const verifier = oauth.generateRandomCodeVerifier()
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()]
  const url = new URL(as.authorization_endpoint)
  url.search = new URLSearchParams({
    client_id: client.client_id, redirect_uri: back, response_type: 'code', scope: 'openid email offline_access weather.read', state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', ...more,
  })
  const answer = await person.walk(url.href, back)
  const parameters = oauth.validateAuthResponse(as, client, answer.url, state)
  const response = await oauth.authorizationCodeGrantRequest(as, client, auth, parameters, back, verifier, insecure)
  return oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true })
}

{
  const client = { client_id: 'web' }
  const auth = oauth.ClientSecretPost('web secret')
  const tokens = await signIn(client, auth)
  const { sub } = oauth.getValidatedIdTokenClaims(tokens)
  const info = await oauth.processUserInfoResponse(as, client, sub, await oauth.userInfoRequest(as, client, tokens.access_token, insecure))
  assert.equal(info.email, EMAIL)
  const claims = await oauth.validateJwtAccessToken(as, new Request('https://weather.example', { headers: { authorization: `Bearer ${tokens.access_token}` } }), 'https://weather.example', insecure)
  assert.equal(claims.client_id, 'web')
  done('code flow, and the access token as its API reads it (RFC 9068)')

  const refreshed = await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, insecure))
  assert.ok(refreshed.refresh_token)
  await oauth.processRevocationResponse(await oauth.revocationRequest(as, client, auth, refreshed.access_token, insecure))
  const dead = await oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, auth, refreshed.access_token, insecure))
  assert.deepEqual(dead, { active: false })
  await oauth.processRefreshTokenResponse(as, client, await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, insecure))
    .then(() => assert.fail('a used refresh token was taken'), (error) => assert.equal(error.error, 'invalid_grant'))
  done('refresh, revocation, introspection, reuse')
}

{
  const client = { client_id: 'partner', id_token_signed_response_alg: 'ES256' }
  const auth = oauth.PrivateKeyJwt(await importJWK(JSON.parse(PRIVATE_JWK), 'ES256'))
  const tokens = await signIn(client, auth, { scope: 'openid weather.read' })
  assert.equal(JSON.parse(Buffer.from(tokens.id_token.split('.')[0], 'base64url')).alg, 'ES256')
  const own = await oauth.clientCredentialsGrantRequest(as, client, auth, { scope: 'weather.read' }, insecure)
  assert.ok((await oauth.processClientCredentialsResponse(as, client, own)).access_token)
  done('private_key_jwt and ES256')
}

{
  const client = { client_id: 'worker' }
  const auth = oauth.ClientSecretBasic('worker secret: with/odd+characters%')
  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  const response = await oauth.clientCredentialsGrantRequest(as, client, auth, { scope: 'weather.read' }, { ...insecure, DPoP })
  assert.equal((await oauth.processClientCredentialsResponse(as, client, response)).token_type, 'dpop')
  for (const [wrong, error] of [['nothing', 'invalid_scope']]) {
    const refused = await oauth.clientCredentialsGrantRequest(as, client, auth, { scope: wrong }, insecure)
    await oauth.processClientCredentialsResponse(as, client, refused).then(() => assert.fail(wrong), (e) => assert.equal(e.error, error))
  }
  const stranger = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretBasic('wrong'), {}, insecure)
  await oauth.processClientCredentialsResponse(as, client, stranger).then(() => assert.fail('wrong secret'), (e) => assert.ok(e instanceof oauth.WWWAuthenticateChallengeError || e.error === 'invalid_client'))
  done('client_credentials with DPoP, and refusals')
}
console.log('all is well')
