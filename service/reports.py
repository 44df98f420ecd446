"""Fetching a report: the facts are gathered, every record is opened once more, and report.py draws the conclusions."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from secureproctor.contract import signing
from secureproctor.contract.channel import LINK_LOST_AFTER_S
from secureproctor.contract.errors import Refusal
from secureproctor.contract.events import Event
from secureproctor.contract.http import ReportAnswer, ReportLink
from secureproctor.contract.record import RecordError, RecordKind
from secureproctor.contract.report import Report
from secureproctor.contract.stills import unpack
from secureproctor.contract.streams import Stream
from secureproctor.service import attested, conversation, ledger, refusals
from secureproctor.service.answers import answer
from secureproctor.service.chains import Key, Unopened, key
from secureproctor.service.clock import Clock
from secureproctor.service.config import ServiceConfig
from secureproctor.service.contacts import Contacts
from secureproctor.service.evidence import Evidence, Spoilt, StoredRecord
from secureproctor.service.identity import identity
from secureproctor.service.reference import References
from secureproctor.service.report import Facts, build_report
from secureproctor.service.session import Session
from secureproctor.service.sessions import Sessions
from secureproctor.service.stills import Stills
from secureproctor.service.store import Store
from secureproctor.service.tokens import Tokens

PATH = "/v2/report/"
NEEDED = ("publicKey", "groupName", "userId")
FORMATS = ("url", "json")


class Reports:
    """The calls that give a report."""

    def __init__(
        self,
        config: ServiceConfig,
        store: Store,
        sessions: Sessions,
        contacts: Contacts,
        evidence: Evidence,
        stills: Stills,
        references: References,
        tokens: Tokens,
        clock: Clock,
    ) -> None:
        self._config = config
        self._store = store
        self._sessions = sessions
        self._contacts = contacts
        self._evidence = evidence
        self._stills = stills
        self._references = references
        self._tokens = tokens
        self._clock = clock

    def routes(self) -> list[BaseRoute]:
        """The addresses of this part."""
        return [Route(PATH, self.signed), Route("/v1/sessions/{id}/report", self.linked)]

    async def linked(self, request: Request) -> Response:
        """`GET /v1/sessions/{id}/report`, by a link's access code."""
        session_id = str(request.path_params["id"])
        access = request.query_params.get("access", "")
        self._tokens.check_access(session_id, access)
        session = await self._store.run(self._sessions.find, session_id)
        return answer(await self._store.run(self._report, session, access))

    async def signed(self, request: Request) -> Response:
        """`GET /v2/report/`: the newest session of a user, signed by the exam's server."""
        query = dict(request.query_params)
        for name in NEEDED:
            if not query.get(name, "").strip():
                raise Refusal("field_missing", field=name)
        wanted = query.get("reportFormat", FORMATS[0]).lower()
        if wanted not in FORMATS:
            raise Refusal("field_invalid", field="reportFormat", why="it is url or json")
        signer = signing.verify(
            self._config.keys,
            method="GET",
            endpoints=self._config.endpoints(PATH),
            query=query,
            body=b"",
            public_key=query["publicKey"],
            authorization=request.headers.get("Authorization", ""),
            now_s=self._clock.wall(),
        )
        session = await self._store.run(self._sessions.newest, signer, query["groupName"], query["userId"])
        access, expires_s = self._tokens.access(session.id)
        report = await self._store.run(self._report, session, access)
        whole = msgspec.Raw(msgspec.json.encode(report)) if wanted == "json" else msgspec.Raw(b"null")
        return answer(ReportAnswer(self._link(report, access, expires_s), whole))

    def _link(self, report: Report, access: str, expires_s: int) -> ReportLink:
        base, session_id = self._config.public_url, report.session_id
        return ReportLink(
            url=f"{base}/report/{session_id}?access={access}",
            json_url=f"{base}/v1/sessions/{session_id}/report?access={access}",
            expires_ms=expires_s * 1000,
            ci_score=report.credibility.score,
            ci_band=report.credibility.band,
        )

    def _report(self, session: Session, access: str) -> Report:
        with self._store.transaction() as db:
            commands, chat = ledger.commands(db, session.id), conversation.chat(db, session.id)
            reference = self._references.of(db, session.id, access)
            seen, heads = ledger.events_seen(db, session.id), ledger.heads(db, session.id)
            refused = refusals.of(db, session.id)
            known = attested.known(db, session.id)
        records = self._evidence.records(session.id)
        unopened, events = self._opened(session, records)
        silent_s = self._contacts.silent_s(session.id)
        silent = silent_s is None or silent_s > LINK_LOST_AFTER_S
        stills = self._stills.of(session, access)
        who = identity(session, commands, stills, *reference)
        return build_report(
            Facts(
                session, records, unopened, events, seen, heads, commands, chat, access, refused, silent, stills, who,
                known,
            )
        )  # fmt: skip

    def _opened(
        self, session: Session, records: list[StoredRecord]
    ) -> tuple[dict[Key, Unopened], dict[Key, list[Event]]]:
        private_key = self._sessions.private_key(session)
        unopened: dict[Key, Unopened] = {}
        events: dict[Key, list[Event]] = {}
        for record in records:
            if record.dropped:
                continue
            try:
                content = self._evidence.opened(session.id, record, private_key)
                if record.kind is RecordKind.EVENTS:
                    events[key(record)] = msgspec.json.decode(content, type=list[Event])
                elif record.stream is Stream.STILLS:
                    unpack(content)
            except Spoilt as error:
                unopened[key(record)] = Unopened("spoilt", str(error))
            except RecordError as error:
                unopened[key(record)] = Unopened("altered", str(error))
            except (ValueError, RecursionError) as error:
                unopened[key(record)] = Unopened("altered", f"it holds no events: {error}")
        return unopened, events
