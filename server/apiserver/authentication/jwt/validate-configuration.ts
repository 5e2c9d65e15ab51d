import { X509Certificate } from 'node:crypto';
import { duplicate, type FieldError, forbidden, invalid, required, tooMany } from '../../../../api/validation/field-error.ts';
import { FieldPath } from '../../../../api/validation/field-path.ts';
import { validateDomainPrefixedPath } from '../../../../api/validation/formats.ts';
import { type ClaimExpression, compileClaimExpression, readsClaim, type Variable } from './claim-expressions.ts';
import type {
  AnonymousFields,
  AuthenticationConfigurationFields,
  ClaimMappingFields,
  ClaimValidationRule,
  IssuerFields,
  JWTAuthenticatorFields,
  PrefixedClaimOrExpression,
} from './configuration-types.ts';

/** A rule that a token or its user has to fulfil. */
export interface CompiledRule {
  readonly expression: ClaimExpression;
  readonly message: string;
}

/** A value that is a claim of the token, or made of its claims by an expression. */
export type Mapping = { readonly claim: string; readonly prefix: string } | { readonly expression: ClaimExpression };

/** An issuer whose tokens are accepted, validated and with its expressions compiled. */
export interface JWTAuthenticatorConfiguration {
  readonly issuer: {
    readonly url: string;
    readonly discoveryURL?: string;
    readonly certificateAuthority?: string;
    readonly audiences: readonly string[];
  };
  /** Claims that must be in the token, as strings with these values. */
  readonly requiredClaims: ReadonlyMap<string, string>;
  readonly claimRules: readonly CompiledRule[];
  readonly username: Mapping;
  readonly groups?: Mapping;
  readonly uid?: Mapping;
  readonly extra: readonly { readonly key: string; readonly expression: ClaimExpression }[];
  readonly userRules: readonly CompiledRule[];
}

interface ValidatedConfiguration {
  readonly errors: readonly FieldError[];
  /** Of use only where there are no errors. */
  readonly jwt: readonly JWTAuthenticatorConfiguration[];
}

const maxAuthenticators = 64;

/** Validates an AuthenticationConfiguration with upstream's rules. `disallowedIssuers`: those of service account tokens. */
export function validateAuthenticationConfiguration(
  { jwt = [], anonymous }: AuthenticationConfigurationFields,
  disallowedIssuers: readonly string[],
): ValidatedConfiguration {
  const root = FieldPath.root.child('jwt');
  if (jwt.length > maxAuthenticators) return { errors: [tooMany(root, jwt.length, maxAuthenticators)], jwt: [] };
  const errors: FieldError[] = [];
  const [issuers, discoveryURLs] = [new Set<string>(), new Set<string>()];
  const compiled = jwt.map((fields, index) => {
    const path = root.index(index);
    const one = validateAuthenticator(fields, path, { errors, disallowedIssuers });
    const { url = '', discoveryURL = '' } = fields.issuer ?? {};
    if (issuers.has(url)) errors.push(duplicate(path.child('issuer', 'url'), url));
    issuers.add(url);
    if (discoveryURL !== '' && discoveryURLs.has(discoveryURL)) errors.push(duplicate(path.child('issuer', 'discoveryURL'), discoveryURL));
    discoveryURLs.add(discoveryURL);
    return one;
  });
  errors.push(...validateAnonymous(anonymous));
  return { errors, jwt: compiled.flatMap((one) => one ?? []) };
}

function validateAnonymous(anonymous: AnonymousFields | undefined): FieldError[] {
  const { enabled = false, conditions = [] } = anonymous ?? {};
  if (enabled || conditions.length === 0) return [];
  // The message shows upstream's own type, whose fields have no other names in JSON.
  const shown = conditions.map(({ path = '' }) => ({ Path: path }));
  return [invalid(FieldPath.root.child('anonymous', 'conditions'), shown, 'enabled should be set to true when conditions are defined')];
}

interface Findings {
  readonly errors: FieldError[];
  readonly disallowedIssuers: readonly string[];
}

/** The authenticator that the fields describe; undefined where a part of it that cannot be left out is wrong. */
function validateAuthenticator(
  fields: JWTAuthenticatorFields,
  path: FieldPath,
  findings: Findings,
): JWTAuthenticatorConfiguration | undefined {
  const { issuer = {}, claimMappings = {}, claimValidationRules = [], userValidationRules = [] } = fields;
  const { errors } = findings;
  errors.push(...validateIssuer(issuer, path.child('issuer'), findings.disallowedIssuers));
  const claimRules = validateClaimRules(claimValidationRules, path.child('claimValidationRules'), errors);
  const mappings = validateMappings(claimMappings, claimRules, path.child('claimMappings'), errors);
  const userRules = compileRules(userValidationRules, path.child('userValidationRules'), 'user', errors);
  const { discoveryURL = '', certificateAuthority = '' } = issuer;
  if (mappings === undefined) return undefined;
  return {
    issuer: {
      url: issuer.url ?? '',
      ...(discoveryURL === '' ? {} : { discoveryURL }),
      ...(certificateAuthority === '' ? {} : { certificateAuthority }),
      audiences: issuer.audiences ?? [],
    },
    requiredClaims: new Map(
      claimValidationRules.flatMap(({ claim = '', requiredValue = '' }) => (claim === '' ? [] : [[claim, requiredValue]])),
    ),
    claimRules,
    ...mappings,
    userRules,
  };
}

function validateIssuer(issuer: IssuerFields, path: FieldPath, disallowedIssuers: readonly string[]): FieldError[] {
  const { url = '', discoveryURL = '', certificateAuthority = '', egressSelectorType = '' } = issuer;
  const errors: FieldError[] = [];
  if (url === '') errors.push(required(path.child('url')));
  else errors.push(...validateURL(url, path.child('url'), disallowedIssuers));
  if (discoveryURL !== '') {
    const at = path.child('discoveryURL');
    if (url !== '' && url.replace(/\/+$/, '') === discoveryURL.replace(/\/+$/, ''))
      errors.push(invalid(at, discoveryURL, 'discoveryURL must be different from URL'));
    errors.push(...validateURL(discoveryURL, at, []));
  }
  errors.push(...validateAudiences(issuer, path));
  const problem = certificateAuthority === '' ? undefined : findCertificateProblem(certificateAuthority);
  if (problem !== undefined) errors.push(invalid(path.child('certificateAuthority'), '<omitted>', problem));
  errors.push(...validateEgressSelector(egressSelectorType, path.child('egressSelectorType')));
  return errors;
}

/** There is no EgressSelectorConfiguration here that a selector could name. */
function validateEgressSelector(type: string, path: FieldPath): FieldError[] {
  if (type === '') return [];
  if (type !== 'controlplane' && type !== 'cluster') return [invalid(path, type, 'egress selector must be either controlplane or cluster')];
  return [forbidden(path, `oidc: egress lookup for ${JSON.stringify(type)} is not configured`)];
}

function validateURL(text: string, path: FieldPath, disallowedIssuers: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  const fail = (detail: string) => void errors.push(invalid(path, text, detail));
  if (disallowedIssuers.includes(text)) fail(`URL must not overlap with disallowed issuers: [${disallowedIssuers.toSorted().join(' ')}]`);
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1]?.toLowerCase() ?? '';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (scheme !== 'https') fail('URL scheme must be https');
  else if (!url || /[\s\p{Cc}]/u.test(text)) fail(`parse ${JSON.stringify(text)}: it is not a URL`);
  if (url && (url.username !== '' || url.password !== '' || /^[a-z]+:\/\/[^/?#]*@/i.test(text)))
    fail('URL must not contain a username or password');
  if (/\?[^#]/.test(text)) fail('URL must not contain a query');
  if (/#./.test(text)) fail('URL must not contain a fragment');
  return errors;
}

function validateAudiences({ audiences = [], audienceMatchPolicy = '' }: IssuerFields, path: FieldPath): FieldError[] {
  const at = path.child('audiences');
  if (audiences.length === 0) return [required(at, `at least one ${at} is required`)];
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, audience] of audiences.entries()) {
    if (audience === '') errors.push(required(at.index(index)));
    if (seen.has(audience)) errors.push(duplicate(at.index(index), audience));
    seen.add(audience);
  }
  const policy = path.child('audienceMatchPolicy');
  if (audiences.length > 1 && audienceMatchPolicy !== 'MatchAny')
    errors.push(invalid(policy, audienceMatchPolicy, 'audienceMatchPolicy must be MatchAny for multiple audiences'));
  if (audiences.length === 1 && audienceMatchPolicy !== '' && audienceMatchPolicy !== 'MatchAny')
    errors.push(invalid(policy, audienceMatchPolicy, 'audienceMatchPolicy must be empty or MatchAny for single audience'));
  return errors;
}

function findCertificateProblem(pem: string): string | undefined {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  if (blocks.length === 0) return 'data does not contain any valid RSA or ECDSA certificates';
  try {
    for (const block of blocks) new X509Certificate(block);
    return undefined;
  } catch (error) {
    return `x509: malformed certificate: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function validateClaimRules(rules: readonly ClaimValidationRule[], path: FieldPath, errors: FieldError[]): CompiledRule[] {
  const [claims, expressions] = [new Set<string>(), new Set<string>()];
  return rules.flatMap(({ claim = '', requiredValue = '', expression = '', message = '' }, index): CompiledRule[] => {
    const at = path.index(index);
    if (claim !== '' && expression !== '') errors.push(invalid(at, claim, "claim and expression can't both be set"));
    else if (claim === '' && expression === '') errors.push(required(at, 'claim or expression is required'));
    else if (claim !== '') {
      if (message !== '') errors.push(invalid(at.child('message'), message, 'may not be specified when claim is set'));
      if (claims.has(claim)) errors.push(duplicate(at.child('claim'), claim));
      claims.add(claim);
    } else {
      if (requiredValue !== '')
        errors.push(invalid(at.child('requiredValue'), requiredValue, 'may not be specified when expression is set'));
      return compileRule(expression, message, at.child('expression'), { variable: 'claims', seen: expressions, errors });
    }
    return [];
  });
}

type RuleFields = { readonly expression?: string; readonly message?: string };

function compileRules(rules: readonly RuleFields[], path: FieldPath, variable: Variable, errors: FieldError[]): CompiledRule[] {
  const seen = new Set<string>();
  return rules.flatMap(({ expression = '', message = '' }, index) => {
    const at = path.index(index).child('expression');
    if (expression !== '') return compileRule(expression, message, at, { variable, seen, errors });
    errors.push(required(at));
    return [];
  });
}

interface RuleContext {
  readonly variable: Variable;
  readonly seen: Set<string>;
  readonly errors: FieldError[];
}

function compileRule(source: string, message: string, path: FieldPath, { variable, seen, errors }: RuleContext): CompiledRule[] {
  if (seen.has(source)) {
    errors.push(duplicate(path, source));
    return [];
  }
  seen.add(source);
  const expression = compile(source, path, errors, { variable, isRule: true });
  return expression ? [{ expression, message }] : [];
}

function compile(
  source: string,
  path: FieldPath,
  errors: FieldError[],
  { variable, isRule }: { readonly variable: Variable; readonly isRule: boolean } = { variable: 'claims', isRule: false },
): ClaimExpression | undefined {
  const compiled = compileClaimExpression(source, variable, isRule);
  if (compiled.ok) return compiled.expression;
  errors.push(invalid(path, source, compiled.detail));
  return undefined;
}

type CompiledMappings = Pick<JWTAuthenticatorConfiguration, 'username' | 'groups' | 'uid' | 'extra'>;

function validateMappings(
  fields: ClaimMappingFields,
  claimRules: readonly CompiledRule[],
  path: FieldPath,
  errors: FieldError[],
): CompiledMappings | undefined {
  const username = validateMapping(fields.username ?? {}, path.child('username'), true, errors);
  const groups = validateMapping(fields.groups ?? {}, path.child('groups'), false, errors);
  const uid = validateUID(fields.uid ?? {}, path.child('uid'), errors);
  const extra = validateExtra(fields.extra ?? [], path.child('extra'), errors);
  if (username && 'expression' in username && readsClaim(username.expression, 'email')) {
    const others = [...claimRules.map(({ expression }) => expression), ...extra.map(({ expression }) => expression)];
    if (![username.expression, ...others].some((one) => readsClaim(one, 'email_verified'))) {
      const detail =
        'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression';
      errors.push(invalid(path.child('username', 'expression'), username.expression.source, detail));
    }
  }
  return username && { username, ...(groups ? { groups } : {}), ...(uid ? { uid } : {}), extra };
}

function validateMapping(
  { claim = '', prefix, expression = '' }: PrefixedClaimOrExpression,
  path: FieldPath,
  isRequired: boolean,
  errors: FieldError[],
): Mapping | undefined {
  if (expression !== '' && claim !== '') return void errors.push(invalid(path, '', "claim and expression can't both be set"));
  if (expression !== '') {
    if (prefix !== undefined) errors.push(invalid(path.child('prefix'), prefix, 'may not be specified when expression is set'));
    const compiled = compile(expression, path.child('expression'), errors);
    return compiled && { expression: compiled };
  }
  if (claim === '') return void (isRequired && errors.push(required(path, 'claim or expression is required')));
  if (prefix === undefined)
    errors.push(
      required(path.child('prefix'), 'prefix is required when claim is set. It can be set to an empty string to disable prefixing'),
    );
  return { claim, prefix: prefix ?? '' };
}

function validateUID(
  { claim = '', expression = '' }: PrefixedClaimOrExpression,
  path: FieldPath,
  errors: FieldError[],
): Mapping | undefined {
  if (claim !== '' && expression !== '') return void errors.push(invalid(path, '', "claim and expression can't both be set"));
  if (claim !== '') return { claim, prefix: '' };
  const compiled = expression === '' ? undefined : compile(expression, path.child('expression'), errors);
  return compiled && { expression: compiled };
}

function validateExtra(
  mappings: NonNullable<ClaimMappingFields['extra']>,
  path: FieldPath,
  errors: FieldError[],
): JWTAuthenticatorConfiguration['extra'] {
  const seen = new Set<string>();
  return mappings.flatMap(({ key = '', valueExpression = '' }, index) => {
    const at = path.index(index);
    errors.push(...validateDomainPrefixedPath(at.child('key'), key));
    if (key !== key.toLowerCase()) errors.push(invalid(at.child('key'), key, 'must be lowercase'));
    if (/^([^/]*\.)?(k8s|kubernetes)\.io\//.test(key))
      errors.push(invalid(at.child('key'), key, 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use'));
    if (seen.has(key)) {
      errors.push(duplicate(at.child('key'), key));
      return [];
    }
    seen.add(key);
    if (valueExpression === '') {
      errors.push(required(at.child('valueExpression')));
      return [];
    }
    const expression = compile(valueExpression, at.child('valueExpression'), errors);
    return expression ? [{ key, expression }] : [];
  });
}
