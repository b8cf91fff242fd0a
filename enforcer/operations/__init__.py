"""How a run is kept alive and looked after: the service, the healthcheck, the crash mail, the doctor's checks."""
