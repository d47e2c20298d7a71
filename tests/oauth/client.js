// npm's oauth4webapi as the foreign client: discovers, authenticates in three ways, calls SCIM. It
// also ends TLS in front of the server, as a proxy would: the client takes https addresses only.
import * as oauth from 'oauth4webapi'
import fs from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import readline from 'node:readline'
import { webcrypto } from 'node:crypto'

const [certificate, key] = process.argv.slice(2)
let upstream
const tls = { cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }
const proxy = https.createServer(tls, (request, answer) => {
  const { method, url, headers } = request
  const on = http.request({ host: '127.0.0.1', port: upstream, method, path: url, headers }, (from) => {
    answer.writeHead(from.statusCode, from.headers)
    from.pipe(answer)
  })
  on.on('error', () => answer.destroy())
  request.pipe(on)
})
await new Promise((ready) => proxy.listen(0, '127.0.0.1', ready))
console.log(proxy.address().port)

// Says what came of each call in a line of JSON.
async function call({ issuer, resource, how, client_id, client_secret, jwk }) {
  const challenge = await fetch(`${resource}/Users`)
  const named = /resource_metadata="([^"]+)"/.exec(challenge.headers.get('www-authenticate'))[1]
  const at = new URL(resource)
  const described = await oauth.resourceDiscoveryRequest(at)
  const metadata = await oauth.processResourceDiscoveryResponse(at, described)
  const server = new URL(metadata.authorization_servers[0])
  const discovered = await oauth.discoveryRequest(server, { algorithm: 'oauth2' })
  const as = await oauth.processDiscoveryResponse(server, discovered)
  if (as.issuer !== issuer) throw new Error(`issuer ${as.issuer}`)
  const client = { client_id }
  const authentication = {
    basic: () => oauth.ClientSecretBasic(client_secret),
    post: () => oauth.ClientSecretPost(client_secret),
    jwt: async () => {
      const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
      const key = await webcrypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign'])
      return oauth.PrivateKeyJwt({ key, kid: jwk.kid })
    },
  }
  const proof = await authentication[how]()
  const parameters = new URLSearchParams({ scope: 'scim' })
  const asked = await oauth.clientCredentialsGrantRequest(as, client, proof, parameters)
  const token = await oauth.processClientCredentialsResponse(as, client, asked)
  const users = new URL(`${resource}/Users`)
  const answer = await oauth.protectedResourceRequest(token.access_token, 'GET', users)
  const body = await answer.json()
  return { named, life: token.expires_in, status: answer.status, total: body.totalResults, token: token.access_token }
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line)
  if (asked.upstream) {
    upstream = asked.upstream
    console.log('{}')
    continue
  }
  try {
    console.log(JSON.stringify(await call(asked)))
  } catch (error) {
    console.log(JSON.stringify({ error: String(error), cause: JSON.stringify(error.cause ?? null) }))
  }
}
process.exit(0)
