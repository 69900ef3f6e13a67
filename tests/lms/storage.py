"""Keeping data for tools whose cookies are blocked: LTI client-side postMessages 1.0, LTI postMessage storage 0.1."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lms.school import Tool
from lms.signon import storing

if TYPE_CHECKING:
    from lms.platform import Lms

# Stored by origin, so that no tool reads another's. lti.put_data and lti.get_data come from the tool's page, and are
# answered to exactly the origin that asked. lti.capabilities is answered to anybody (capabilities are no secret).
SCRIPT = """
<script>
const tools = %s;
const kept = new Map();
const seen = [];
function keep(origin, data) {
  const place = origin + "\\u0000" + data.key;
  if (data.value === null || data.value === undefined) { kept.delete(place); return { key: data.key }; }
  if (kept.size >= 64 || String(data.value).length > 4096) {
    return { error: { code: "storage_exhaustion", message: "Too much is kept already" } };
  }
  kept.set(place, data.value);
  return { key: data.key, value: data.value };
}
function told(origin, data) {
  if (data.subject === "lti.capabilities") {
    return { supported_messages: [
      { subject: "lti.capabilities" }, { subject: "lti.put_data", frame: "_parent" },
      { subject: "lti.get_data", frame: "_parent" } ] };
  }
  if (!tools.includes(origin)) return { error: { code: "wrong_origin", message: "No tool of this page" } };
  if (!data.key) return { error: { code: "bad_request", message: "key is required" } };
  if (data.subject === "lti.put_data") return keep(origin, data);
  return { key: data.key, value: kept.get(origin + "\\u0000" + data.key) ?? null };
}
addEventListener("message", (event) => {
  const data = event.data;
  const known = ["lti.capabilities", "lti.put_data", "lti.get_data"];
  if (!data || typeof data !== "object" || !known.includes(data.subject)) return;
  if (!data.message_id) return;
  seen.push(data.subject);
  const answer = { subject: data.subject + ".response", message_id: data.message_id, ...told(event.origin, data) };
  event.source.postMessage(answer, event.origin);
});
</script>"""


def script(lms: Lms, *tools: Tool) -> str:
    """For a page that has these tools in frames or windows; empty when the LMS keeps nothing."""
    if not storing(lms):
        return ""
    addresses = (urlsplit(url) for tool in tools for url in (tool.login_url, *tool.redirect_uris))
    origins = sorted({f"{parts.scheme}://{parts.netloc}" for parts in addresses})
    return SCRIPT % json.dumps(origins).replace("<", "\\u003c")
