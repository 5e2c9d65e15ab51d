/** Definitions, and the schemas and operations that kube-apiserver v1.32 published of them. */
export const recorded = {
  crds: [
    {
      metadata: {
        name: 'alphas.oa.example.com',
      },
      spec: {
        group: 'oa.example.com',
        names: {
          plural: 'alphas',
          singular: 'alpha',
          kind: 'Alpha',
          listKind: 'AlphaList',
        },
        scope: 'Namespaced',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                description: 'An alpha.',
                type: 'object',
                required: ['spec'],
                properties: {
                  metadata: {
                    type: 'object',
                    properties: {
                      name: {
                        type: 'string',
                        maxLength: 5,
                      },
                    },
                  },
                  spec: {
                    description: 'The spec.',
                    type: 'object',
                    required: ['a', 'n'],
                    properties: {
                      a: {
                        description: 'A text.',
                        type: 'string',
                        default: 'x',
                        minLength: 1,
                        pattern: '^x',
                        enum: ['x', 'y'],
                      },
                      al: {
                        type: 'array',
                        items: {
                          type: 'object',
                          'x-kubernetes-preserve-unknown-fields': true,
                        },
                        allOf: [
                          {
                            maxItems: 3,
                          },
                        ],
                        not: {
                          minItems: 9,
                        },
                      },
                      e: {
                        type: 'object',
                        properties: {
                          data: {
                            type: 'string',
                          },
                        },
                        'x-kubernetes-embedded-resource': true,
                      },
                      ep: {
                        type: 'object',
                        'x-kubernetes-preserve-unknown-fields': true,
                        'x-kubernetes-embedded-resource': true,
                      },
                      i: {
                        description: 'either',
                        'x-kubernetes-int-or-string': true,
                      },
                      i2: {
                        anyOf: [
                          {
                            type: 'integer',
                          },
                          {
                            type: 'string',
                          },
                        ],
                        'x-kubernetes-int-or-string': true,
                      },
                      l: {
                        type: 'array',
                        maxItems: 7,
                        items: {
                          type: 'object',
                          required: ['k'],
                          oneOf: [
                            {
                              required: ['k'],
                            },
                          ],
                          properties: {
                            k: {
                              type: 'string',
                            },
                          },
                        },
                        'x-kubernetes-list-map-keys': ['k'],
                        'x-kubernetes-list-type': 'map',
                        'x-kubernetes-validations': [
                          {
                            rule: 'size(self) < 5',
                            message: 'too many',
                          },
                        ],
                      },
                      m: {
                        type: 'object',
                        additionalProperties: {
                          type: 'array',
                          items: {
                            type: 'number',
                            minimum: 1.5,
                            exclusiveMinimum: true,
                          },
                        },
                      },
                      n: {
                        type: 'object',
                        required: ['q'],
                        properties: {
                          q: {
                            type: 'integer',
                            format: 'int32',
                            nullable: true,
                          },
                        },
                        nullable: true,
                      },
                      p: {
                        type: 'object',
                        properties: {
                          z: {
                            type: 'string',
                          },
                        },
                        'x-kubernetes-preserve-unknown-fields': true,
                      },
                      t: {
                        type: 'object',
                        additionalProperties: true,
                      },
                    },
                  },
                  status: {
                    type: 'object',
                    'x-kubernetes-preserve-unknown-fields': true,
                  },
                },
              },
            },
            subresources: {
              status: {},
              scale: {
                specReplicasPath: '.spec.replicas',
                statusReplicasPath: '.status.replicas',
              },
            },
            selectableFields: [
              {
                jsonPath: '.spec.a',
              },
            ],
          },
        ],
        conversion: {
          strategy: 'None',
        },
      },
    },
    {
      metadata: {
        name: 'ocelots.oa.example.com',
      },
      spec: {
        group: 'oa.example.com',
        names: {
          plural: 'ocelots',
          singular: 'ocelot',
          kind: 'Ocelot',
          listKind: 'OcelotList',
        },
        scope: 'Cluster',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                'x-kubernetes-preserve-unknown-fields': true,
              },
            },
          },
        ],
        conversion: {
          strategy: 'None',
        },
      },
    },
  ],
  v2: {
    'com.example.oa.v1.Alpha': {
      description: 'An alpha.',
      type: 'object',
      required: ['spec'],
      properties: {
        apiVersion: {
          description:
            'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
          type: 'string',
        },
        kind: {
          description:
            'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
          type: 'string',
        },
        metadata: {
          description:
            "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
          $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
        },
        spec: {
          description: 'The spec.',
          type: 'object',
          required: ['a'],
          properties: {
            a: {
              description: 'A text.',
              type: 'string',
              minLength: 1,
              pattern: '^x',
              enum: ['x', 'y'],
            },
            al: {
              type: 'array',
              items: {
                'x-kubernetes-preserve-unknown-fields': true,
              },
            },
            e: {
              type: 'object',
              required: ['kind', 'apiVersion'],
              properties: {
                apiVersion: {
                  description:
                    'apiVersion defines the versioned schema of this representation of an object. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
                  type: 'string',
                },
                data: {
                  type: 'string',
                },
                kind: {
                  description:
                    'kind is a string value representing the type of this object. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
                  type: 'string',
                },
                metadata: {
                  description:
                    "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
                  $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
                },
              },
              'x-kubernetes-embedded-resource': true,
            },
            ep: {
              'x-kubernetes-embedded-resource': true,
              'x-kubernetes-preserve-unknown-fields': true,
            },
            i: {
              description: 'either',
              'x-kubernetes-int-or-string': true,
            },
            i2: {
              'x-kubernetes-int-or-string': true,
            },
            l: {
              type: 'array',
              maxItems: 7,
              items: {
                type: 'object',
                required: ['k'],
                properties: {
                  k: {
                    type: 'string',
                  },
                },
              },
              'x-kubernetes-list-map-keys': ['k'],
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-validations': [
                {
                  message: 'too many',
                  rule: 'size(self) < 5',
                },
              ],
            },
            m: {
              type: 'object',
              additionalProperties: {
                type: 'array',
                items: {
                  type: 'number',
                  minimum: 1.5,
                  exclusiveMinimum: true,
                },
              },
            },
            n: {
              required: ['q'],
            },
            p: {
              'x-kubernetes-preserve-unknown-fields': true,
            },
            t: {
              type: 'object',
              additionalProperties: true,
            },
          },
        },
        status: {
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
      'x-kubernetes-group-version-kind': [
        {
          group: 'oa.example.com',
          kind: 'Alpha',
          version: 'v1',
        },
      ],
      'x-kubernetes-selectable-fields': [
        {
          fieldPath: 'spec.a',
        },
      ],
    },
    'com.example.oa.v1.AlphaList': {
      description: 'AlphaList is a list of Alpha',
      type: 'object',
      required: ['items'],
      properties: {
        apiVersion: {
          description:
            'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
          type: 'string',
        },
        items: {
          description: 'List of alphas. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md',
          type: 'array',
          items: {
            $ref: '#/definitions/com.example.oa.v1.Alpha',
          },
        },
        kind: {
          description:
            'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
          type: 'string',
        },
        metadata: {
          description:
            'Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
          $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta',
        },
      },
      'x-kubernetes-group-version-kind': [
        {
          group: 'oa.example.com',
          kind: 'AlphaList',
          version: 'v1',
        },
      ],
      'x-kubernetes-selectable-fields': [
        {
          fieldPath: 'spec.a',
        },
      ],
    },
    'com.example.oa.v1.Ocelot': {
      type: 'object',
      'x-kubernetes-group-version-kind': [
        {
          group: 'oa.example.com',
          kind: 'Ocelot',
          version: 'v1',
        },
      ],
      'x-kubernetes-selectable-fields': [],
    },
    'com.example.oa.v1.OcelotList': {
      description: 'OcelotList is a list of Ocelot',
      type: 'object',
      required: ['items'],
      properties: {
        apiVersion: {
          description:
            'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
          type: 'string',
        },
        items: {
          description: 'List of ocelots. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md',
          type: 'array',
          items: {
            $ref: '#/definitions/com.example.oa.v1.Ocelot',
          },
        },
        kind: {
          description:
            'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
          type: 'string',
        },
        metadata: {
          description:
            'Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
          $ref: '#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta',
        },
      },
      'x-kubernetes-group-version-kind': [
        {
          group: 'oa.example.com',
          kind: 'OcelotList',
          version: 'v1',
        },
      ],
      'x-kubernetes-selectable-fields': [],
    },
  },
  v3: {
    'com.example.oa.v1.Alpha': {
      description: 'An alpha.',
      type: 'object',
      required: ['spec'],
      properties: {
        apiVersion: {
          description:
            'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
          type: 'string',
        },
        kind: {
          description:
            'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
          type: 'string',
        },
        metadata: {
          description:
            "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
          allOf: [
            {
              $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
            },
          ],
        },
        spec: {
          description: 'The spec.',
          type: 'object',
          required: ['a', 'n'],
          properties: {
            a: {
              description: 'A text.',
              type: 'string',
              default: 'x',
              minLength: 1,
              pattern: '^x',
              enum: ['x', 'y'],
            },
            al: {
              type: 'array',
              items: {
                type: 'object',
                'x-kubernetes-preserve-unknown-fields': true,
              },
              allOf: [
                {
                  maxItems: 3,
                },
              ],
              not: {
                minItems: 9,
              },
            },
            e: {
              type: 'object',
              required: ['kind', 'apiVersion'],
              properties: {
                apiVersion: {
                  description:
                    'apiVersion defines the versioned schema of this representation of an object. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
                  type: 'string',
                },
                data: {
                  type: 'string',
                },
                kind: {
                  description:
                    'kind is a string value representing the type of this object. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
                  type: 'string',
                },
                metadata: {
                  description:
                    "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
                  allOf: [
                    {
                      $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
                    },
                  ],
                },
              },
              'x-kubernetes-embedded-resource': true,
            },
            ep: {
              type: 'object',
              required: ['kind', 'apiVersion'],
              properties: {
                apiVersion: {
                  description:
                    'apiVersion defines the versioned schema of this representation of an object. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
                  type: 'string',
                },
                kind: {
                  description:
                    'kind is a string value representing the type of this object. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
                  type: 'string',
                },
                metadata: {
                  description:
                    "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
                  allOf: [
                    {
                      $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
                    },
                  ],
                },
              },
              'x-kubernetes-embedded-resource': true,
              'x-kubernetes-preserve-unknown-fields': true,
            },
            i: {
              description: 'either',
              anyOf: [
                {
                  type: 'integer',
                },
                {
                  type: 'string',
                },
              ],
              'x-kubernetes-int-or-string': true,
            },
            i2: {
              anyOf: [
                {
                  type: 'integer',
                },
                {
                  type: 'string',
                },
              ],
              'x-kubernetes-int-or-string': true,
            },
            l: {
              type: 'array',
              maxItems: 7,
              items: {
                type: 'object',
                required: ['k'],
                oneOf: [
                  {
                    required: ['k'],
                  },
                ],
                properties: {
                  k: {
                    type: 'string',
                  },
                },
              },
              'x-kubernetes-list-map-keys': ['k'],
              'x-kubernetes-list-type': 'map',
              'x-kubernetes-validations': [
                {
                  rule: 'size(self) < 5',
                  message: 'too many',
                },
              ],
            },
            m: {
              type: 'object',
              additionalProperties: {
                type: 'array',
                items: {
                  type: 'number',
                  minimum: 1.5,
                  exclusiveMinimum: true,
                },
              },
            },
            n: {
              type: 'object',
              nullable: true,
              required: ['q'],
              properties: {
                q: {
                  type: 'integer',
                  nullable: true,
                  format: 'int32',
                },
              },
            },
            p: {
              type: 'object',
              properties: {
                z: {
                  type: 'string',
                },
              },
              'x-kubernetes-preserve-unknown-fields': true,
            },
            t: {
              type: 'object',
              additionalProperties: true,
            },
          },
        },
        status: {
          type: 'object',
          'x-kubernetes-preserve-unknown-fields': true,
        },
      },
      'x-kubernetes-group-version-kind': [
        {
          group: 'oa.example.com',
          kind: 'Alpha',
          version: 'v1',
        },
      ],
      'x-kubernetes-selectable-fields': [
        {
          fieldPath: 'spec.a',
        },
      ],
    },
    'com.example.oa.v1.AlphaList': {
      description: 'AlphaList is a list of Alpha',
      type: 'object',
      required: ['items'],
      properties: {
        apiVersion: {
          description:
            'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
          type: 'string',
        },
        items: {
          description: 'List of alphas. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md',
          type: 'array',
          items: {
            $ref: '#/components/schemas/com.example.oa.v1.Alpha',
          },
        },
        kind: {
          description:
            'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
          type: 'string',
        },
        metadata: {
          description:
            'Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
          allOf: [
            {
              $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta',
            },
          ],
        },
      },
      'x-kubernetes-group-version-kind': [
        {
          group: 'oa.example.com',
          kind: 'AlphaList',
          version: 'v1',
        },
      ],
      'x-kubernetes-selectable-fields': [
        {
          fieldPath: 'spec.a',
        },
      ],
    },
    'com.example.oa.v1.Ocelot': {
      type: 'object',
      properties: {
        apiVersion: {
          description:
            'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
          type: 'string',
        },
        kind: {
          description:
            'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
          type: 'string',
        },
        metadata: {
          description:
            "Standard object's metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata",
          allOf: [
            {
              $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta',
            },
          ],
        },
      },
      'x-kubernetes-group-version-kind': [
        {
          group: 'oa.example.com',
          kind: 'Ocelot',
          version: 'v1',
        },
      ],
      'x-kubernetes-preserve-unknown-fields': true,
      'x-kubernetes-selectable-fields': [],
    },
    'com.example.oa.v1.OcelotList': {
      description: 'OcelotList is a list of Ocelot',
      type: 'object',
      required: ['items'],
      properties: {
        apiVersion: {
          description:
            'APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources',
          type: 'string',
        },
        items: {
          description: 'List of ocelots. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md',
          type: 'array',
          items: {
            $ref: '#/components/schemas/com.example.oa.v1.Ocelot',
          },
        },
        kind: {
          description:
            'Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
          type: 'string',
        },
        metadata: {
          description:
            'Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds',
          allOf: [
            {
              $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta',
            },
          ],
        },
      },
      'x-kubernetes-group-version-kind': [
        {
          group: 'oa.example.com',
          kind: 'OcelotList',
          version: 'v1',
        },
      ],
      'x-kubernetes-selectable-fields': [],
    },
  },
  operations: {
    '/apis/oa.example.com/v1/alphas': {
      get: {
        operationId: 'listOaExampleComV1AlphaForAllNamespaces',
        description: 'list objects of kind Alpha',
        action: 'list',
      },
    },
    '/apis/oa.example.com/v1/namespaces/{namespace}/alphas': {
      get: {
        operationId: 'listOaExampleComV1NamespacedAlpha',
        description: 'list objects of kind Alpha',
        action: 'list',
      },
      post: {
        operationId: 'createOaExampleComV1NamespacedAlpha',
        description: 'create an Alpha',
        action: 'post',
      },
      delete: {
        operationId: 'deleteOaExampleComV1CollectionNamespacedAlpha',
        description: 'delete collection of Alpha',
        action: 'deletecollection',
      },
    },
    '/apis/oa.example.com/v1/namespaces/{namespace}/alphas/{name}': {
      get: {
        operationId: 'readOaExampleComV1NamespacedAlpha',
        description: 'read the specified Alpha',
        action: 'get',
      },
      put: {
        operationId: 'replaceOaExampleComV1NamespacedAlpha',
        description: 'replace the specified Alpha',
        action: 'put',
      },
      delete: {
        operationId: 'deleteOaExampleComV1NamespacedAlpha',
        description: 'delete an Alpha',
        action: 'delete',
      },
      patch: {
        operationId: 'patchOaExampleComV1NamespacedAlpha',
        description: 'partially update the specified Alpha',
        action: 'patch',
      },
    },
    '/apis/oa.example.com/v1/namespaces/{namespace}/alphas/{name}/scale': {
      get: {
        operationId: 'readOaExampleComV1NamespacedAlphaScale',
        description: 'read scale of the specified Alpha',
        action: 'get',
      },
      put: {
        operationId: 'replaceOaExampleComV1NamespacedAlphaScale',
        description: 'replace scale of the specified Alpha',
        action: 'put',
      },
      patch: {
        operationId: 'patchOaExampleComV1NamespacedAlphaScale',
        description: 'partially update scale of the specified Alpha',
        action: 'patch',
      },
    },
    '/apis/oa.example.com/v1/namespaces/{namespace}/alphas/{name}/status': {
      get: {
        operationId: 'readOaExampleComV1NamespacedAlphaStatus',
        description: 'read status of the specified Alpha',
        action: 'get',
      },
      put: {
        operationId: 'replaceOaExampleComV1NamespacedAlphaStatus',
        description: 'replace status of the specified Alpha',
        action: 'put',
      },
      patch: {
        operationId: 'patchOaExampleComV1NamespacedAlphaStatus',
        description: 'partially update status of the specified Alpha',
        action: 'patch',
      },
    },
    '/apis/oa.example.com/v1/ocelots': {
      get: {
        operationId: 'listOaExampleComV1Ocelot',
        description: 'list objects of kind Ocelot',
        action: 'list',
      },
      post: {
        operationId: 'createOaExampleComV1Ocelot',
        description: 'create an Ocelot',
        action: 'post',
      },
      delete: {
        operationId: 'deleteOaExampleComV1CollectionOcelot',
        description: 'delete collection of Ocelot',
        action: 'deletecollection',
      },
    },
    '/apis/oa.example.com/v1/ocelots/{name}': {
      get: {
        operationId: 'readOaExampleComV1Ocelot',
        description: 'read the specified Ocelot',
        action: 'get',
      },
      put: {
        operationId: 'replaceOaExampleComV1Ocelot',
        description: 'replace the specified Ocelot',
        action: 'put',
      },
      delete: {
        operationId: 'deleteOaExampleComV1Ocelot',
        description: 'delete an Ocelot',
        action: 'delete',
      },
      patch: {
        operationId: 'patchOaExampleComV1Ocelot',
        description: 'partially update the specified Ocelot',
        action: 'patch',
      },
    },
  },
} as const;
