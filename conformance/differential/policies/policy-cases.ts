import { readFileSync } from 'node:fs';

/** A policy, the objects that it judges, and its binding. Each case has its own namespace. */
export interface PolicyCase {
  readonly name: string;
  /** Merged into a spec that matches ConfigMaps. */
  readonly spec: Readonly<Record<string, unknown>>;
  /** Merged into a binding that denies. Null: the policy has no binding. */
  readonly binding?: Readonly<Record<string, unknown>> | null;
  /** Objects that are there before: paths below the namespace (or absolute) and bodies. */
  readonly seeds?: readonly (readonly [path: string, body: object])[];
  /** Default: a ConfigMap is created. */
  readonly requests?: readonly PolicyRequest[];
}

export interface PolicyRequest {
  readonly method: 'DELETE' | 'PATCH' | 'POST' | 'PUT';
  /** Below the namespace, or absolute. */
  readonly path: string;
  readonly body?: object;
  readonly user?: string;
}

export const configMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'x', labels: { app: 'web', 'example.com/tier': 'front' }, annotations: { note: 'a b', owner: 'jane@example.com' } },
  data: { a: '1', number: '42', url: 'https://example.com:80/a?b=c', list: 'a,b,c' },
};

const create: PolicyRequest = { method: 'POST', path: 'configmaps', body: configMap };
/** Expressions that decide on the ConfigMap. */
const expressions: readonly string[] = [
  'true',
  'false',
  ' object.data.a == "2" ',
  'object.data.a == "1"',
  'object.data.none == "1"',
  'has(object.data.none)',
  '!has(object.data.none) && has(object.data.a)',
  'has(object.spec)',
  'object.?data.?none.orValue("d") == "x"',
  'object.data[?"a"].hasValue()',
  'object.kind == "ConfigMap" && object.apiVersion == "v1"',
  'object.metadata.name == "y"',
  'object.metadata.namespace == "nowhere"',
  'object.metadata.namespace == request.namespace',
  'has(object.metadata.uid)',
  'has(object.metadata.resourceVersion)',
  'has(object.metadata.generation)',
  'has(object.metadata.managedFields)',
  'object.metadata.labels.exists(l, l.startsWith("example.com/"))',
  'object.metadata.labels.all(l, l.startsWith("example.com/"))',
  'object.metadata.labels.exists_one(l, l == "app")',
  'object.metadata.labels.map(l, l.size()).sum() == 19',
  'object.metadata.labels["example.com/tier"] in ["front", "back"]',
  'object.data.filter(k, k.size() > 1).size() == 2',
  'object.data.map(k, object.data[k]).all(v, v.matches("^[0-9]+$"))',
  'int(object.data.number) > 41',
  'int(object.data.list) > 41',
  'double(object.data.number) / 0.0 > 1.0',
  'int(object.data.number) / 0 == 1',
  '[1, 2][5] == 1',
  '{"a": 1}["b"] == 1',
  'object.data.number == 42',
  'type(object.data.number) == string',
  'type(object) == map',
  'string(type(1)) == "int"',
  'object.data.url.startsWith("https://") && url(object.data.url).getHost() == "example.com:80"',
  'url(object.data.url).getQuery() == {"b": ["c"]}',
  'url(object.data.list).getHost() == ""',
  'isURL(object.data.list)',
  'object.data.list.split(",") == ["a", "b", "c"]',
  'object.data.list.split(",").join("-") == "a-b"',
  'object.data.list.replace(",", "").upperAscii() == "ABC"',
  'object.data.list.find("[b-z]") == "b"',
  'object.data.list.findAll("[a-z]", 2) == ["a", "b"]',
  'object.data.list.indexOf("c") == 4 && object.data.list.charAt(0) == "a"',
  'object.data.list.substring(9) == ""',
  '"%s has %d".format([object.metadata.name, 3]) == "x has 3"',
  '"%d".format(["a"]) == ""',
  'object.data.list.matches("[")',
  'quantity("1Gi").isGreaterThan(quantity("500Mi"))',
  'quantity(object.data.list).isInteger()',
  'isQuantity(object.data.number) && quantity(object.data.number).asInteger() == 42',
  'ip("192.168.0.1").family() == 4 && cidr("192.168.0.0/16").containsIP("192.168.0.1")',
  'ip(object.data.a).family() == 4',
  'format.dns1123Label().validate("A_B").hasValue()',
  'format.named("none").hasValue()',
  'format.dns1123Label().validate("A_B").value() == []',
  'sets.contains(["a", "b"], object.data.list.split(",")) ',
  'sets.intersects(["a"], object.data.list.split(","))',
  'sets.equivalent([1, 1u], [1])',
  '[3, 1, 2].isSorted() || [1, 2].max() == 2 && [1, 2].min() == 1',
  '[1, 2, 3].indexOf(2) == 1 && [1, 2, 2].lastIndexOf(2) == 2',
  'timestamp("2025-01-01T00:00:00Z") < timestamp("2026-01-01T00:00:00Z")',
  'timestamp(object.data.a) > timestamp("2025-01-01T00:00:00Z")',
  'duration("1h") + duration("30m") == duration("90m")',
  'timestamp("2025-01-01T00:00:00Z").getFullYear() == 2025',
  '9223372036854775807 + int(object.data.a) > 0',
  '"é".size() == 1 && b"é".size() == 2',
  'dyn("a") == 1',
  'object.metadata.name < 5',
  'request.operation == "CREATE" && request.dryRun',
  'request.kind.kind == "ConfigMap" && request.kind.group == "" && request.kind.version == "v1"',
  'request.resource.resource == "configmaps" && request.requestResource == request.resource',
  'has(request.subResource)',
  'request.subResource == ""',
  'request.name == "x"',
  'request.namespace.startsWith("case-")',
  'request.userInfo.username == "somebody"',
  'request.userInfo.groups.exists(g, g == "system:authenticated")',
  'has(request.userInfo.uid)',
  'request.options.kind == "CreateOptions"',
  'has(request.options.fieldManager)',
  'request.options.dryRun == ["All"]',
  'oldObject == null',
  'oldObject.data.a == "1"',
  'oldObject != null && oldObject.data.a == "1"',
  'namespaceObject.metadata.name == request.namespace',
  'namespaceObject.metadata.labels["kubernetes.io/metadata.name"] == request.namespace',
  'namespaceObject.status.phase == "Active" && namespaceObject.spec.finalizers == ["kubernetes"]',
  'namespaceObject.metadata.creationTimestamp < timestamp("2000-01-01T00:00:00Z")',
  'has(namespaceObject.metadata.annotations)',
  'authorizer.group("").resource("configmaps").namespace("default").check("get").allowed()',
  'authorizer.group("").resource("secrets").check("escape").reason() == "x"',
  'authorizer.path("/healthz").check("get").allowed() && authorizer.requestResource.check("create").allowed()',
  'authorizer.serviceAccount("default", "default").group("").resource("secrets").check("list").allowed()',
  'authorizer.serviceAccount("default", "default").path("/metrics").check("get").errored()',
  'authorizer.serviceAccount("A", "b").path("/metrics").check("get").allowed()',
  'authorizer.path("").check("get").allowed()',
  'authorizer.group("").resource("pods").subresource("exec").namespace("default").name("x").check("create").error() == ""',
  '[1, 2, 3].transformList(i, v, i + v) == [1, 3, 5]',
  '{"a": 1}.transformMap(k, v, v + 1) == {"a": 2}',
  '[1, 2].all(i, v, i < v)',
  'optional.of(1).value() == 1 && optional.none().hasValue()',
  'optional.none().value() == 1',
  '{?"a": optional.none()} == {}',
  '[1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(a, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(b, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(c, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(d, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(e, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].all(f, a + b + c + d + e + f > 0))))))',
  'object.metadata.annotations.owner.matches("^[a-z]+@example\\\\.com$")',
  'object.metadata.annotations.note == "a b" || object.none.none',
  'object.none.none || object.metadata.annotations.note == "a b"',
  'object.none.none && false',
  'object.none.none && true',
  'object.data.a == "1" ? object.data.number == "42" : object.none',
];

/** Expressions that do not compile, or are of the wrong type. */
const refused: readonly string[] = [
  'object.',
  'object.data.a',
  'object.data.a ==',
  '1',
  '"a"',
  'none.data',
  'object.data.a.foo()',
  'foo(1)',
  'object.data.a == 1 +',
  '1 == "a"',
  '"a" + 1 == "b"',
  'request.none == "a"',
  'request.userInfo.name == "a"',
  'request.uid == "a"',
  'request.object == null',
  'namespaceObject.metadata.ownerReferences == []',
  'namespaceObject.metadata.uid == ""',
  'params.a == 1',
  'variables.a == 1',
  'authorizer.check("get")',
  'authorizer.requestResource.foo',
  'authorizer',
  '[1, "a"] == []',
  '{"a": 1, "b": "c"} == {}',
  'object.data.a.matches("[a")',
  'duration("x") == duration("1s")',
  'timestamp("x") == timestamp("x")',
  'Object{}.x == 1',
  'cel.bind(a, 1, a == 1)',
  'object.data.all(k)',
  'object.data.all(1, true)',
  'has(object)',
  'true &',
  'true)',
  "'a\nb' == 'c'",
  'true\n&& foo',
  'a.b.c.d',
  '"\\q" == "q"',
  '99999999999999999999 == 1',
];

const validations = (...list: readonly object[]): PolicyCase['spec'] => ({ validations: list });

/** Cases of which more than an expression counts. */
const behaviours = readCases('cases.json');

function readCases(file: string): readonly PolicyCase[] {
  return JSON.parse(readFileSync(new URL(`./testdata/${file}`, import.meta.url), 'utf8')) as readonly PolicyCase[];
}

/** MutatingAdmissionPolicies. */
export const mutationCases: readonly PolicyCase[] = readCases('mutations.json');

/** ValidatingAdmissionPolicies. */
export const policyCases: readonly PolicyCase[] = [
  ...[...expressions, ...refused].map((expression) => ({ name: expression, spec: validations({ expression }) })),
  ...behaviours,
];

export const defaultRequests: readonly PolicyRequest[] = [create];
