// A SAML identity provider for the tests: npm's `samlp` on express, which nobody here wrote.
// `node idp.js FILE` reads { issuer, keys: [{ cert, key }], acs, audience } and prints its port.
// Whoever asks says in headers who signs in (x-user, JSON) and how (x-options, JSON); nobody types.
'use strict';
const express = require('express');
const samlp = require('samlp');
const fs = require('fs');

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const state = { published: 0 };
const app = express();

function Mapper(user) {
  return {
    getClaims: () => user.claims || {},
    getNameIdentifier: () => ({
      nameIdentifier: user.nameId,
      nameIdentifierFormat: user.format || 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress',
    }),
  };
}

// Which key the metadata names from now on.
app.post('/publish/:key', (req, res) => {
  state.published = Number(req.params.key);
  res.send('ok');
});

app.get('/metadata', (req, res, next) => {
  samlp.metadata({
    issuer: config.issuer,
    cert: config.keys[state.published].cert,
    redirectEndpointPath: '/sso',
    postEndpointPath: '/sso',
    logoutEndpointPaths: { redirect: '/slo' },
  })(req, res, next);
});

app.get('/redirect', (req, res) => res.redirect('/metadata'));
app.get('/not-saml', (req, res) => res.send('<html><body>hello</body></html>'));

app.get('/sso', (req, res, next) => {
  const options = JSON.parse(req.get('x-options') || '{}');
  const pair = config.keys[options.key || 0];
  samlp.auth({
    issuer: config.issuer,
    cert: pair.cert,
    key: pair.key,
    audience: config.audience,
    recipient: config.acs,
    destination: config.acs,
    lifetimeInSeconds: 300,
    sessionIndex: options.sessionIndex || '_session-1',
    signAssertion: options.signAssertion !== false,
    signResponse: options.signResponse === true,
    encryptionCert: options.encryptionCert,
    encryptionPublicKey: options.encryptionPublicKey,
    includeAttributeNameFormat: true,
    authnContextClassRef: 'urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport',
    profileMapper: Mapper,
    getUserFromRequest: (r) => JSON.parse(r.get('x-user')),
    getPostURL: (audience, dom, r, done) => done(null, config.acs),
  })(req, res, next);
});

// eslint-disable-next-line no-unused-vars
app.use((error, req, res, next) => res.status(500).send(String(error && error.stack)));

const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
// Ends with whoever started it.
process.stdin.on('end', () => process.exit(0));
process.stdin.resume();
