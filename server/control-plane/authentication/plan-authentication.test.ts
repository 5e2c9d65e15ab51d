import assert from 'node:assert/strict';
import { type AuthenticationFlags, planAuthentication } from './plan-authentication.ts';

const serviceAccounts = ['https://kubernetes.default.svc'];
const plan = (flags: AuthenticationFlags, configuration?: string) =>
  planAuthentication(flags, configuration === undefined ? {} : { configuration: Buffer.from(configuration) }, {
    disallowedIssuers: serviceAccounts,
    anonymousByDefault: true,
  });
const oidc = { oidcIssuerUrl: 'https://a.example', oidcClientId: 'c' };

describe('flags of authentication', () => {
  it("ask for one issuer, with upstream's defaults", () => {
    const { jwt, algorithms, anonymous } = plan(oidc);
    assert.deepEqual(
      [jwt[0]?.username, jwt[0]?.groups, algorithms],
      [{ claim: 'sub', prefix: 'https://a.example#' }, undefined, ['RS256']],
    );
    assert.deepEqual(anonymous, { isEnabled: true });
    const prefixOf = (flags: AuthenticationFlags) => plan({ ...oidc, ...flags }).jwt[0]?.username;
    assert.deepEqual(prefixOf({ oidcUsernameClaim: 'email' }), { claim: 'email', prefix: '' });
    assert.deepEqual(prefixOf({ oidcUsernamePrefix: '-' }), { claim: 'sub', prefix: '' });
    assert.deepEqual(prefixOf({ oidcUsernamePrefix: 'x:' }), { claim: 'sub', prefix: 'x:' });
  });

  const config = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n';
  const refused: [string, AuthenticationFlags, string | undefined, RegExp | string][] = [
    [
      'an issuer without a client',
      { oidcIssuerUrl: 'https://a' },
      undefined,
      'oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set',
    ],
    ['a claim without an issuer', { oidcGroupsClaim: 'g' }, undefined, /must be specified together/],
    [
      'flags and file',
      { ...oidc, authenticationConfig: 'f' },
      `${config}jwt: []`,
      'authentication-config file and oidc-* flags are mutually exclusive',
    ],
    [
      'http',
      { ...oidc, oidcIssuerUrl: 'http://a' },
      undefined,
      'invalid authentication configuration: jwt[0].issuer.url: Invalid value: "http://a": URL scheme must be https',
    ],
    [
      'the issuer of service accounts',
      { ...oidc, oidcIssuerUrl: 'https://kubernetes.default.svc' },
      undefined,
      /jwt\[0\]\.issuer\.url: Invalid value: "https:\/\/kubernetes\.default\.svc": URL must not overlap with disallowed issuers: \[https:\/\/kubernetes\.default\.svc\]/,
    ],
    ['a shared secret', { ...oidc, oidcSigningAlgs: ['HS256'] }, undefined, 'oidc: unsupported signing alg: "HS256"'],
    [
      'a version of TokenReview',
      { authenticationTokenWebhookConfigFile: 'f', authenticationTokenWebhookVersion: 'v2' },
      undefined,
      'unsupported authentication webhook version "v2", supported versions are "v1", "v1beta1"',
    ],
    [
      '--anonymous-auth beside anonymous',
      { authenticationConfig: 'f', anonymousAuth: true },
      `${config}anonymous: { enabled: true }`,
      'anonymous: Forbidden: --anonymous-auth flag cannot be set when anonymous field is configured in authentication configuration file',
    ],
    [
      'another kind',
      { authenticationConfig: 'f' },
      'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration',
      /^failed to load authentication configuration from file "f": expected AuthenticationConfiguration, got \*apiserver\.AuthorizationConfiguration$/,
    ],
    ['an empty file', { authenticationConfig: 'f' }, '', /Object 'Kind' is missing in ''/],
  ];
  for (const [what, flags, file, message] of refused) it(`refuse ${what}`, () => assert.throws(() => plan(flags, file), { message }));

  it('leave --anonymous-auth to count where the file says nothing of it', () => {
    assert.deepEqual(plan({ authenticationConfig: 'f', anonymousAuth: false }, `${config}jwt: []`).anonymous, { isEnabled: false });
    assert.deepEqual(
      plan({ authenticationConfig: 'f' }, `${config}anonymous: { enabled: true, conditions: [{ path: /livez }] }`).anonymous,
      {
        isEnabled: true,
        paths: ['/livez'],
      },
    );
  });
});

const issuer = 'issuer: { url: https://a.example, audiences: [a] }';
const username = 'username: { claim: sub, prefix: "" }';
const file = (jwt: string, more = '') =>
  `apiVersion: apiserver.config.k8s.io/v1beta1\nkind: AuthenticationConfiguration\njwt:\n${jwt}\n${more}`;
const one = (fields: { issuer?: string; mappings?: string; more?: string }) =>
  file(`- ${fields.issuer ?? issuer}\n  claimMappings: { ${fields.mappings ?? username} }\n${fields.more ?? ''}`);

/** Texts as the kube-apiserver of v1.32 gives them for these files, but for the notes. */
const wrong: Readonly<Record<string, readonly [string, string]>> = {
  'unknown fields': [file('- { bar: 1 }', 'foo: 1'), 'strict decoding error: unknown field "foo", unknown field "jwt[0].bar"'],
  'a wrong type': [
    file('- { issuer: { url: 5 } }'),
    'json: cannot unmarshal number into Go struct field Issuer.jwt.issuer.url of type string',
  ],
  'nothing in it': [
    file('- {}'),
    '[jwt[0].issuer.url: Required value, jwt[0].issuer.audiences: Required value: at least one jwt[0].issuer.audiences is required, jwt[0].claimMappings.username: Required value: claim or expression is required]',
  ],
  'no prefix': [
    one({ mappings: 'username: { claim: sub }' }),
    'jwt[0].claimMappings.username.prefix: Required value: prefix is required when claim is set. It can be set to an empty string to disable prefixing',
  ],
  'claim and expression': [
    one({ mappings: 'username: { claim: sub, expression: claims.sub }' }),
    `jwt[0].claimMappings.username: Invalid value: "": claim and expression can't both be set`,
  ],
  'a prefix of an expression': [
    one({ mappings: 'username: { prefix: x, expression: claims.sub }' }),
    'jwt[0].claimMappings.username.prefix: Invalid value: "x": may not be specified when expression is set',
  ],
  'two audiences without a policy': [
    one({ issuer: 'issuer: { url: https://a.example, audiences: [a, b] }' }),
    'jwt[0].issuer.audienceMatchPolicy: Invalid value: "": audienceMatchPolicy must be MatchAny for multiple audiences',
  ],
  'an unknown policy': [
    one({ issuer: 'issuer: { url: https://a.example, audiences: [a], audienceMatchPolicy: All }' }),
    'jwt[0].issuer.audienceMatchPolicy: Invalid value: "All": audienceMatchPolicy must be empty or MatchAny for single audience',
  ],
  'repeated audiences': [
    one({ issuer: 'issuer: { url: https://a.example, audiences: [a, a, ""], audienceMatchPolicy: MatchAny }' }),
    '[jwt[0].issuer.audiences[1]: Duplicate value: "a", jwt[0].issuer.audiences[2]: Required value]',
  ],
  'a URL with more than a place': [
    one({ issuer: 'issuer: { url: "https://u:p@a.example?q#f", audiences: [a] }' }),
    '[jwt[0].issuer.url: Invalid value: "https://u:p@a.example?q#f": URL must not contain a username or password, jwt[0].issuer.url: Invalid value: "https://u:p@a.example?q#f": URL must not contain a query, jwt[0].issuer.url: Invalid value: "https://u:p@a.example?q#f": URL must not contain a fragment]',
  ],
  'a discovery URL that is the issuer': [
    one({ issuer: 'issuer: { url: https://a.example, discoveryURL: https://a.example/, audiences: [a] }' }),
    'jwt[0].issuer.discoveryURL: Invalid value: "https://a.example/": discoveryURL must be different from URL',
  ],
  'no certificates': [
    one({ issuer: 'issuer: { url: https://a.example, certificateAuthority: x, audiences: [a] }' }),
    'jwt[0].issuer.certificateAuthority: Invalid value: "<omitted>": data does not contain any valid RSA or ECDSA certificates',
  ],
  'rules that are two things, or none': [
    one({
      more: '  claimValidationRules: [{ claim: a, expression: b }, {}, { claim: a, message: m }, { claim: a }, { expression: "true", requiredValue: v }]',
    }),
    `[jwt[0].claimValidationRules[0]: Invalid value: "a": claim and expression can't both be set, jwt[0].claimValidationRules[1]: Required value: claim or expression is required, jwt[0].claimValidationRules[2].message: Invalid value: "m": may not be specified when claim is set, jwt[0].claimValidationRules[3].claim: Duplicate value: "a", jwt[0].claimValidationRules[4].requiredValue: Invalid value: "v": may not be specified when expression is set]`,
  ],
  'rules that are no booleans': [
    one({
      more: '  claimValidationRules: [{ expression: claims.a }, { expression: "1 +" }]\n  userValidationRules: [{}, { expression: user.uid }]',
    }),
    "[jwt[0].claimValidationRules[0].expression: Invalid value: \"claims.a\": must evaluate to bool, jwt[0].claimValidationRules[1].expression: Invalid value: \"1 +\": compilation failed: ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}\n | 1 +\n | ...^, jwt[0].userValidationRules[0].expression: Required value, jwt[0].userValidationRules[1].expression: Invalid value: \"user.uid\": must evaluate to bool]",
  ],
  'unknown variables': [
    one({ more: '  userValidationRules: [{ expression: "user.name == claims.sub" }]' }),
    "jwt[0].userValidationRules[0].expression: Invalid value: \"user.name == claims.sub\": compilation failed: ERROR: <input>:1:5: undefined field 'name'\n | user.name == claims.sub\n | ....^\nERROR: <input>:1:14: undeclared reference to 'claims' (in container '')\n | user.name == claims.sub\n | .............^",
  ],
  'an address that nobody has verified': [
    one({ mappings: 'username: { expression: claims.email }' }),
    'jwt[0].claimMappings.username.expression: Invalid value: "claims.email": claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression',
  ],
  'keys of extra': [
    one({
      mappings: `${username}, extra: [{ key: a, valueExpression: "''" }, { key: A.io/b }, { key: x.k8s.io/y, valueExpression: "''" }, { key: x.io/y }, { key: x.io/y }]`,
    }),
    '[jwt[0].claimMappings.extra[0].key: Invalid value: "a": must be a domain-prefixed path (such as "acme.io/foo"), jwt[0].claimMappings.extra[1].key: Invalid value: "A.io": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \'-\' or \'.\', and must start and end with an alphanumeric character (e.g. \'example.com\', regex used for validation is \'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\'), jwt[0].claimMappings.extra[1].key: Invalid value: "A.io/b": must be lowercase, jwt[0].claimMappings.extra[1].valueExpression: Required value, jwt[0].claimMappings.extra[2].key: Invalid value: "x.k8s.io/y": k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use, jwt[0].claimMappings.extra[3].valueExpression: Required value, jwt[0].claimMappings.extra[4].key: Duplicate value: "x.io/y"]',
  ],
  'one issuer twice': [
    file(`- ${issuer}\n  claimMappings: { ${username} }\n- ${issuer}\n  claimMappings: { ${username} }`),
    'jwt[1].issuer.url: Duplicate value: "https://a.example"',
  ],
  'paths for nobody': [
    one({ more: '' }).concat('anonymous: { enabled: false, conditions: [{ path: /livez }] }'),
    'anonymous.conditions: Invalid value: [{"Path":"/livez"}]: enabled should be set to true when conditions are defined',
  ],
  // Upstream accepts it where an EgressSelectorConfiguration has that selector; there is none here.
  'an egress selector': [
    one({ issuer: 'issuer: { url: https://a.example, audiences: [a], egressSelectorType: cluster }' }),
    'jwt[0].issuer.egressSelectorType: Forbidden: oidc: egress lookup for "cluster" is not configured',
  ],
};

describe('an AuthenticationConfiguration', () => {
  for (const [what, [text, expected]] of Object.entries(wrong))
    it(`is refused for ${what}`, () => {
      assert.throws(
        () => plan({ authenticationConfig: 'f' }, text),
        ({ message }: Error) => {
          assert.equal(
            message.replace(/^(invalid authentication configuration|failed to load authentication configuration from file "f"): /, ''),
            expected,
          );
          return true;
        },
      );
    });
  it('has 64 issuers at most', () => {
    const many = Array.from({ length: 65 }, (_, index) => `- issuer: { url: https://a${index}.example }`).join('\n');
    assert.throws(() => plan({ authenticationConfig: 'f' }, file(many)), /jwt: Too many: 65: must have at most 64 items/);
  });
});
