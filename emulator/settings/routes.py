"""HTTP handlers for settings."""

from emulator.settings import conf, empty_lists, identity, init_scripts, ip_lists, versioned

routes = [
    *identity.routes,
    *conf.routes,
    *versioned.routes,
    *init_scripts.routes,
    *ip_lists.routes,
    *empty_lists.routes,
]
