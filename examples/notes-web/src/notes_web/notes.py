"""The notes themselves: one table, and the four things that can be done with it.  Knows nothing of the web."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool

MEMORY = ":memory:"
LONGEST = 2_000  # characters of a note: a note, not a book


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]
    written: Mapped[datetime]

    def as_dict(self) -> dict[str, object]:
        return {"id": self.id, "text": self.text, "written": self.written.isoformat(timespec="seconds")}


class Notebook:
    """Notes in the SQLite database ``path``; in memory, for as long as the notebook lives, without one."""

    def __init__(self, path: str = MEMORY) -> None:
        # A database in memory belongs to its connection, so all threads share the one there is.
        shared = {"poolclass": StaticPool} if path == MEMORY else {}
        self._engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False}, **shared)
        Base.metadata.create_all(self._engine)

    def _session(self) -> Session:
        return Session(self._engine, expire_on_commit=False)

    def all(self) -> list[Note]:
        """Every note, newest first."""
        with self._session() as session:
            return list(session.scalars(select(Note).order_by(Note.id.desc())))

    def add(self, text: str) -> Note:
        """Keep a note.  Raises ``ValueError`` for an empty one and for one that is too long."""
        text = text.strip()
        if not text:
            raise ValueError("a note needs a text")
        if len(text) > LONGEST:
            raise ValueError(f"a note has at most {LONGEST} characters")
        with self._session() as session, session.begin():
            note = Note(text=text, written=datetime.now(UTC))
            session.add(note)
        return note

    def remove(self, number: int) -> bool:
        """Take a note away; False where there is none."""
        with self._session() as session, session.begin():
            note = session.get(Note, number)
            if note is not None:
                session.delete(note)
        return note is not None

    def close(self) -> None:
        self._engine.dispose()
