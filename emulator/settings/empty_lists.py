"""Empty lists for services that the emulator does not have, so that programs which list everything do not fail.

If pipelines are added as a package, their routes move there.
"""

from typing import Any

from emulator.api.routing import Request, Routes

routes = Routes()


@routes.get("/api/2.0/instance-profiles/list")
def list_instance_profiles(request: Request) -> dict[str, Any]:
    return {"instance_profiles": []}


@routes.get("/api/2.0/apps")
def list_apps(request: Request) -> dict[str, Any]:
    return {"apps": []}


@routes.get("/api/2.0/pipelines")
def list_pipelines(request: Request) -> dict[str, Any]:
    return {"statuses": []}
