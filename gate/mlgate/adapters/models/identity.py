"""What stands for a served model in provenance: where it is or what is in it, how it is started, and how it is asked.

Names and values are written out, so that nothing that is called otherwise in the code becomes another model. Form 1
hashed what Python showed of its values; that text is kept here, for verdicts and registered models of that form.
"""

from __future__ import annotations

from collections.abc import Mapping

from mlgate.adapters.http.address import Address
from mlgate.core.check import Json, digest_of
from mlgate.core.identity import CURRENT_FORM, FIRST_FORM, identity

Asked = Mapping[str, Json]
"""How a server is asked: a protocol's `identity`."""


def of_endpoint(address: Address, asked: Asked, transport: str = "http", form: int = CURRENT_FORM) -> str:
    """Return what stands for a model behind an address. Its weights nobody can see, and its query may be a secret."""
    if form == FIRST_FORM:
        return _endpoint1(address, asked, transport)
    place: Json = {"scheme": address.scheme, "host": address.host, "port": address.port, "path": address.path}
    return identity("endpoint", {"address": place, "transport": transport, "asked": asked})


def _endpoint1(address: Address, asked: Asked, transport: str) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    where = f"{address.scheme}://{host}:{address.port}{address.path}"
    over_http = digest_of([where, str(asked["protocol"]), asked_of_form1(asked)])
    return over_http if transport == "http" else digest_of([over_http, transport])


_SHOWN1 = {
    "kserve-v1": "KServeV1(model={model!r}, template={template!r}, params={params!r})",
    "kserve-v2": "KServeV2(model={model!r}, template={template!r}, params={params!r}, input_name={input_name!r})",
    "openai-chat": "OpenAIChat(model={model!r}, template={template!r}, params={params!r})",
    "openai-completions": "OpenAICompletions(model={model!r}, template={template!r}, params={params!r})",
    "json": "PlainJson(request={request!r}, answer_path={answer!r}, path={path!r})",
}
"""By protocol: what Python showed of it in form 1."""


def asked_of_form1(asked: Asked) -> str:
    """Return what form 1 hashed of how a server is asked."""
    return _SHOWN1[str(asked["protocol"])].format(**asked)
