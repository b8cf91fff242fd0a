"""HTTP handlers of Unity Catalog."""

from emulator.unity_catalog import (
    bindings,
    catalogs,
    functions,
    metastores,
    monitors,
    schemas,
    storage,
    tables,
    volumes,
)

routes = [
    *metastores.routes,
    *catalogs.routes,
    *schemas.routes,
    *volumes.routes,
    *tables.routes,
    *monitors.routes,
    *functions.routes,
    *storage.routes,
    *bindings.routes,
]
