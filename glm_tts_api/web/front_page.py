"""What the root says: what this is and where to go. A page for browsers, JSON for everyone else.

Links are relative, so that they hold behind a proxy that serves the server under a path of its own.
"""

from __future__ import annotations

from html import escape
from string import Template

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from glm_tts_api import __version__
from glm_tts_api.web.dependencies import AppStateDep

router = APIRouter(include_in_schema=False)

_PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>GLM-TTS API</title>
<link rel="icon" href="data:,">
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem; }
  h1 { font-size: 1.6rem; margin-bottom: 0; }
  .status { opacity: .75; margin-top: 0; }
  dt { font-weight: 600; }
  dd { margin: 0 0 .6rem; }
  pre { padding: 1rem; overflow-x: auto; border: 1px solid; border-radius: 6px; }
</style>
<h1>GLM-TTS API</h1>
<p class="status">$version · $status$model</p>
<p>Zero-shot voice cloning: text and a short recording in, speech out.<br>
<span lang="zh">零样本声音克隆：输入文字和一段短录音，得到语音。</span></p>
<dl>
  <dt><a href="docs">docs</a></dt>
  <dd>Every route and field, to try. <span lang="zh">全部接口和字段，可在页面上直接试用。</span></dd>
  <dt><a href="api/v1/prompts">api/v1/prompts</a></dt>
  <dd>The voices. <span lang="zh">音色列表。</span></dd>
  <dt><a href="api/v1/health">api/v1/health</a></dt>
  <dd>Whether it can speak. <span lang="zh">能否合成。</span></dd>
  <dt><a href="api/v1/stats/concurrency">api/v1/stats/concurrency</a></dt>
  <dd>What it is doing. <span lang="zh">正在处理的请求。</span></dd>
</dl>
<pre>curl -s -X POST ${base}api/v1/tts \\
$key  -F "input_text=你好，欢迎使用语音合成服务。" \\
  -F "index=exampleA" \\
  -F "response_format=wav" -o hello.wav</pre>
</html>
""")


@router.api_route("/", methods=["GET", "HEAD"])
async def front_page(request: Request, state: AppStateDep) -> Response:
    """200 also while the model loads: /api/v1/health tells that."""
    if "text/html" in request.headers.get("accept", ""):
        page = _PAGE.substitute(
            version=__version__,
            status=state.status,
            model=f" · {escape(state.model_label)}" if state.model_label else "",
            base=escape(str(request.base_url)),
            key='  -H "X-API-Key: YOUR_KEY" \\\n' if state.config.api_keys else "",
        )
        return HTMLResponse(page, headers={"Vary": "Accept"})
    root = request.scope.get("root_path", "").rstrip("/")
    body = {
        "service": "GLM-TTS API",
        "version": __version__,
        "status": state.status,
        "docs": f"{root}/docs",
        "openapi": f"{root}/openapi.json",
        "speech": f"{root}/api/v1/tts",
        "voices": f"{root}/api/v1/prompts",
        "health": f"{root}/api/v1/health",
        "stats": f"{root}/api/v1/stats/concurrency",
    }
    return JSONResponse(body, headers={"Vary": "Accept"})
