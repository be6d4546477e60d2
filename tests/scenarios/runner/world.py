"""The service, the Redis and the sandbox of a scenario."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import secrets
import urllib.request
from pathlib import Path

from runner.certificates import Authority, Certificate
from runner.failure import SetupError, StepError
from runner.issuer import ALGORITHM, AUDIENCE, ISSUER, Issuer
from runner.process import Chatbridge, Redis
from runner.proxy import Address, Proxy
from runner.sandbox import API_KEY, TENANT, Sandbox
from stubs import scenario_pb2
from stubs.scenario_pb2 import Caller, ReplicaAction

# Short, so that what takes a few heartbeats takes no minute.
_SETTINGS = {
    "heartbeat_ms": "3000",
    "drain_spread_ms": "200",
    "drain_deadline_ms": "3000",
    "keepalive_ms": "5000",
    "keepalive_timeout_ms": "5000",
}
_RELOAD_TIMEOUT_S = 10.0
# As the service trims: with the time up to which it did.
_TRIM = """
local time = redis.call('TIME')
local now_ms = time[1] * 1000 + math.floor(time[2] / 1000)
for _, log in ipairs(redis.call('KEYS', 'chatbridge:{*}:log')) do
    redis.call('XTRIM', log, 'MAXLEN', 0)
    redis.call('HSET', string.gsub(log, ':log$', ':meta'), 'trimmed', string.format('%d', now_ms))
end
"""


class World:
    """The service, the Redis and the sandbox of a scenario, all on loopback."""

    def __init__(self, spec: scenario_pb2.World, languages: list[str], directory: Path, origins: list[int]) -> None:
        """Not started yet. `origins` are the ports that browsers' pages come from."""
        self.spec = spec
        self.directory = directory
        self._origins = origins
        self._tenants = {caller.name: list(caller.tenants) or [TENANT] for caller in spec.callers}
        self._tokens = {
            (caller.name, language): f"cb_{secrets.token_urlsafe(32)}"
            for caller in spec.callers
            for language in languages
        }
        self._languages = languages
        self._redis = Redis(directory)
        self._sandbox_program: Chatbridge | None = None
        self._door: Proxy | None = None
        self.vendor = Proxy(self._vendor_door)
        """Between the service and the sandbox."""
        self._next_door = itertools.count()
        self._replicas: list[Chatbridge] = []
        self._issuer = Issuer() if spec.issuer else None
        self._authority: Authority | None = None
        self.other_authority: Authority | None = None
        self.broken = False
        self.sandbox = Sandbox(0)

    async def start(self) -> None:
        """Starts everything."""
        self.directory.mkdir(parents=True)
        if self.spec.tls:
            self._authority, self.other_authority = Authority("runner"), Authority("somebody else")
            self._write_certificates(self._authority)
        if self._issuer is not None:
            await self._issuer.start()
        # The vendor has one address for webhooks, whichever replicas there are.
        self._door = Proxy(self._any_webhook_door)
        await self._door.start()
        webhook = f"http://127.0.0.1:{self._door.port}/webhooks/8x8"
        arguments = ["sandbox", "--listen", "127.0.0.1:0", "--pace", "0", "--seed", "1", "--webhook", webhook]
        self._sandbox_program = Chatbridge(self.directory, "sandbox", arguments, {"CHATBRIDGE_LOG": "warn"})
        await asyncio.gather(self._redis.start(), self._sandbox_program.start(), self.vendor.start())
        self.sandbox = Sandbox(self._sandbox_program.port("sandbox"))
        self._write_config()
        self._replicas = [self._replica(number) for number in range(self.spec.replicas or 1)]
        await asyncio.gather(*(replica.start() for replica in self._replicas))

    async def stop(self) -> None:
        """Ends everything."""
        for proxy in (self._door, self.vendor):
            if proxy is not None:
                await proxy.close()
        if self._issuer is not None:
            self._issuer.close()
        programs = [*self._replicas, self._redis]
        if self._sandbox_program is not None:
            programs.append(self._sandbox_program)
        await asyncio.gather(*(program.kill() for program in programs))

    def address(self, replica: int) -> Address | None:
        """Where a replica listens for gRPC; None: it does not run."""
        program = self._replicas[replica]
        return ("127.0.0.1", program.port("grpc")) if program.running and program.addresses else None

    def token(self, caller: str, language: str) -> str:
        """The token of a language's caller."""
        return self._tokens[caller, language]

    def web_token(self, language: str, valid_s: float) -> str:
        """A web token for a language."""
        if self._issuer is None:
            raise StepError("the scenario's world has no issuer")
        return self._issuer.token(language, valid_s)

    def authority(self, which: str) -> bytes:
        """An authority that a client may trust, in PEM."""
        authority = self._authority if which == "own" else self.other_authority
        if authority is None:
            raise StepError("the scenario's world has no TLS")
        return authority.pem

    def certificate(self, caller: str, language: str) -> Certificate:
        """The certificate of a language's caller."""
        if self._authority is None:
            raise StepError("the scenario's world has no TLS")
        return self._authority.client(_dns_name(caller, language))

    async def change_replica(self, number: int, action: ReplicaAction.ValueType) -> None:
        """Kills, stops or starts a replica."""
        replica = self._replicas[number]
        if action == ReplicaAction.REPLICA_ACTION_KILL:
            await replica.kill()
        elif action == ReplicaAction.REPLICA_ACTION_STOP:
            if not await replica.stop():
                raise StepError("the service did not stop when it was asked to")
        elif action == ReplicaAction.REPLICA_ACTION_START:
            await replica.start()
        else:
            raise StepError("the scenario does not say what happens to the replica")

    async def change_redis(self, action: scenario_pb2.RedisAction.ValueType) -> None:
        """Kills or starts Redis, or has it forget."""
        if action == scenario_pb2.REDIS_ACTION_KILL:
            await self._redis.kill()
        elif action == scenario_pb2.REDIS_ACTION_START:
            await self._redis.start()
        elif action == scenario_pb2.REDIS_ACTION_FLUSH:
            await self._redis.ask("FLUSHALL")
        elif action == scenario_pb2.REDIS_ACTION_TRIM:
            await self._redis.ask("EVAL", _TRIM, "0")
        else:
            raise StepError("the scenario does not say what happens to Redis")

    async def change_callers(self, remove: list[str], tenants: dict[str, str]) -> None:
        """Changes who may call, until each replica has taken it."""
        for name in remove:
            del self._tenants[name]
        for name, tenant in tenants.items():
            self._tenants[name] = [tenant]
        before = [await self._reloads(replica) for replica in self._replicas]
        self._write_config()
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + _RELOAD_TIMEOUT_S
        for replica, taken in zip(self._replicas, before, strict=True):
            while await self._reloads(replica) == taken:
                if loop.time() > deadline_s:
                    raise StepError("the service did not take the changed callers; see its log")
                await asyncio.sleep(0.05)

    async def _reloads(self, replica: Chatbridge) -> float:
        url = f"http://127.0.0.1:{replica.port('admin')}/metrics"

        def read() -> str:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return str(answer.read().decode())

        for line in (await asyncio.to_thread(read)).splitlines():
            if line.startswith("chatbridge_config_reloads_total") and 'result="taken"' in line:
                return float(line.rpartition(" ")[2])
        return 0.0

    def _any_webhook_door(self) -> Address | None:
        running = [replica for replica in self._replicas if replica.running and replica.addresses]
        if not running:
            return None
        return ("127.0.0.1", running[next(self._next_door) % len(running)].port("webhook"))

    def _vendor_door(self) -> Address | None:
        program = self._sandbox_program
        return ("127.0.0.1", program.port("sandbox")) if program is not None and program.addresses else None

    def _replica(self, number: int) -> Chatbridge:
        settings = {
            **_SETTINGS,
            "redis_url": f"redis://127.0.0.1:{self._redis.port}",
            "gateway_url": f"http://127.0.0.1:{self.vendor.port}",
            "grpc_listen": "127.0.0.1:0",
            "webhook_listen": "127.0.0.1:0",
            "admin_listen": "127.0.0.1:0",
            "cors_origins": ",".join(f"http://127.0.0.1:{port}" for port in self._origins),
            "log": "warn",
            **self._tls_settings(),
            **self.spec.settings,
        }
        environment = {f"CHATBRIDGE_{name.upper()}": value for name, value in settings.items()}
        arguments = ["serve", "--config", str(self._config)]
        return Chatbridge(self.directory, f"replica-{number}", arguments, environment)

    @property
    def _config(self) -> Path:
        return self.directory / "chatbridge.toml"

    def _write_config(self) -> None:
        tenants = sorted({TENANT, *(tenant for some in self._tenants.values() for tenant in some)})
        if len(tenants) == 1:
            lines = [f'tenant = "{TENANT}"', f'api_key = "{API_KEY}"']
        else:
            lines = [
                line for tenant in tenants for line in ("[[tenants]]", f'id = "{tenant}"', f'api_key = "{API_KEY}"')
            ]
        for caller in self.spec.callers:
            if caller.name in self._tenants:
                for language in self._languages:
                    lines += ["", *self._caller(caller, language)]
        if self._issuer is not None:
            keys = f"http://127.0.0.1:{self._issuer.port}/keys"
            lines += ["", "[[jwt_issuers]]", f'issuer = "{ISSUER}"', f'audiences = ["{AUDIENCE}"]']
            lines += [f'algorithms = ["{ALGORITHM}"]', f'jwks_url = "{keys}"']
            lines += ["", "[[jwt_issuers.grants]]", 'claim = "scope"', 'value = "chat"', 'role = "caller"']
            lines += [f'tenants = ["{TENANT}"]']
        # As a whole or not at all: the service may read it at any moment.
        unfinished = self._config.with_suffix(".part")
        unfinished.write_text("\n".join(lines) + "\n")
        unfinished.replace(self._config)

    def _caller(self, caller: Caller, language: str) -> list[str]:
        tenants = ", ".join(f'"{tenant}"' for tenant in self._tenants[caller.name])
        lines = ["[[callers]]", f'name = "{caller.name}-{language}"', f'role = "{caller.role}"']
        lines.append(f"tenants = [{tenants}]")
        if caller.calls_per_second:
            lines.append(f"calls_per_second = {caller.calls_per_second}")
        if caller.streams_max:
            lines.append(f"streams_max = {caller.streams_max}")
        if caller.certificate:
            lines.append(f'identities = ["dns:{_dns_name(caller.name, language)}"]')
        else:
            digest = hashlib.sha256(self.token(caller.name, language).encode()).hexdigest()
            lines.append(f'token_sha256 = ["{digest}"]')
        return lines

    def _write_certificates(self, authority: Authority) -> None:
        server = authority.server()
        (self.directory / "server.crt").write_bytes(server.certificate)
        (self.directory / "server.key").write_bytes(server.key)
        (self.directory / "authority.crt").write_bytes(authority.pem)

    def _tls_settings(self) -> dict[str, str]:
        if not self.spec.tls:
            return {}
        settings = {
            "grpc_tls_cert_file": str(self.directory / "server.crt"),
            "grpc_tls_key_file": str(self.directory / "server.key"),
        }
        if self.spec.tls == scenario_pb2.TLS_MUTUAL:
            settings["grpc_tls_client_ca_file"] = str(self.directory / "authority.crt")
        return settings


def _dns_name(caller: str, language: str) -> str:
    return f"{caller}.{language}.example"


def require_programs() -> None:
    """Raises what is missing on this machine."""
    from runner.process import binary, require

    binary()
    require("redis-server", "redis-server")
    require("redis-cli", "redis-tools")
    try:
        require("setpriv", "util-linux")
    except SetupError:
        raise
