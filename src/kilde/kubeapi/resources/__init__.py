"""What the embedded API server knows about kinds: pure functions and values; the server in front of them does the I/O.

The way in, module by module:

* `kinds`: `BUILTIN`, `Resource`, `Catalog(custom_resources)` with `.at(group, version, plural)` and `.of_kind(…)`; facts such as
  `WITHOUT_GENERATION`, `DELETE_ANSWERS_OBJECT`, `ORPHAN_BY_DEFAULT`.
* `discovery`: `Discovery(catalog)` gives every discovery document as `Document(body, content_type, etag)`.
* `tables`: `render(printer, objects, now=…)` makes a Table with `printer_of(resource)` or `custom_printer(columns)`;
  `partial` and `partial_list` make PartialObjectMetadata.
* `openapi`: `OpenApi(catalog, schemas)` gives the index and each group's document as bytes with its hash.
* `custom`: `Definition.of(crd)` is a parsed CustomResourceDefinition: its resources, and to prune, default and validate objects.
* `validation`: `validate_create(obj)` and `validate_update(new, old, subresource)` give the causes a real server would name.
* `policies`: `judge(policies, bindings, request, params)` says what ValidatingAdmissionPolicies deny, warn of and note;
  `mutations(…)` gives the patches of MutatingAdmissionPolicies. Both evaluate CEL (`cel`, the extra of that name).
* `protobuf`: `decode(body)` makes an object of an `application/vnd.kubernetes.protobuf` request body.
"""
