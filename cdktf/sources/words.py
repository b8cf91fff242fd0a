"""Moodle's words for a group, an address and “in no group”, in the languages of its sites. Pure data.

They are hints: an address column is known by its content, and `--column` and `--no-group` name what is missing here.
"""

from __future__ import annotations

import re

from labkit.csv_cells import unescape_formula
from roster.cells import clean_name

_AROUND = re.compile(r"^[\s\[\](){}<>«»„“”\"'*\-–—_.:]+|[\s\[\](){}<>«»„“”\"'*\-–—_.:]+$")


def word_key(text: str) -> str:
    """A word without the brackets, quotation marks and dashes around it, in lower case."""
    return _AROUND.sub("", clean_name(unescape_formula(text))).casefold()


def _words(*words: str) -> frozenset[str]:
    return frozenset(word_key(word) for word in words)


GROUP = _words(
    "Group", "Group name", "Groups", "Gruppe", "Gruppen", "Gruppenname", "קבוצה", "קבוצות", "שם קבוצה", "שם הקבוצה",
    "הקבוצה", "Groupe", "Groupes", "Grupo", "Grupos", "Gruppo", "Gruppi", "Groep", "Groepen", "Grupp", "Grupper",
    "Gruppe(n)", "Ryhmä", "Ryhmät", "Группа", "Группы", "Група", "Групи", "Grupa", "Grupy", "Skupina", "Skupiny",
    "Csoport", "Ομάδα", "Grup", "Gruplar", "مجموعة", "المجموعة", "المجموعات", "گروه", "グループ", "小组", "组", "群組",
    "모둠", "그룹", "Nhóm", "กลุ่ม", "Kelompok", "Taldea", "Grŵp", "Grupė", "Rühm",
)  # fmt: skip

EMAIL = _words(
    "Email", "E-mail", "Mail", "Email address", "E-mail address", "E-Mail-Adresse", "E-Mail", "Mailadresse",
    'דוא"ל', "דוא״ל", "דואל", 'כתובת דוא"ל', "כתובת דוא״ל", "דואר אלקטרוני", "כתובת דואר אלקטרוני", "אימייל",
    "כתובת אימייל", "מייל", "Adresse de courriel", "Courriel", "Adresse e-mail", "Dirección de correo",
    "Dirección Email", "Correo electrónico", "Correo", "Endereço de e-mail", "Indirizzo email", "Indirizzo e-mail",
    "E-mailadres", "E-mailadresse", "E-postadress", "E-post", "E-postadresse", "Sähköpostiosoite", "Sähköposti",
    "Адрес электронной почты", "Электронная почта", "Електронна пошта", "Adres e-mail", "E-mailová adresa",
    "E-mail cím", "Διεύθυνση ηλεκτρονικού ταχυδρομείου", "E-posta adresi", "E-posta", "عنوان البريد الإلكتروني",
    "البريد الإلكتروني", "پست الکترونیک", "メールアドレス", "电子邮件地址", "電子郵件信箱", "이메일 주소",
)  # fmt: skip

# What the overview puts into the group's cell for a student in no group, and into the grouping's cell beside it.
NO_GROUP = _words(
    "No group", "Not in a group", "Not in any group", "Without group", "Keine Gruppe", "Nicht in einer Gruppe",
    "Ohne Gruppe", "In keiner Gruppe", "ללא קבוצה", "אין קבוצה", "לא בקבוצה", "לא שייך לקבוצה", "לא שייכים לקבוצה",
    "לא משויך לקבוצה", "לא משוייך לקבוצה", "אינו בקבוצה", "אינם בקבוצה", "לא נמצא בקבוצה", "לא חבר בקבוצה",
    "לא בשום קבוצה", "בלי קבוצה", "אף קבוצה", "Pas de groupe", "Aucun groupe", "Pas dans un groupe",
    "Membre d'aucun groupe", "Dans aucun groupe", "Sin grupo", "No hay grupo", "No está en un grupo",
    "No en un grupo", "Sem grupo", "Nenhum grupo", "Em nenhum grupo", "Não está em um grupo", "Nessun gruppo",
    "Senza gruppo", "Non in un gruppo", "Geen groep", "Niet in een groep", "Ingen grupp", "Ej med i en grupp",
    "Inte i en grupp", "Ingen gruppe", "Ikke i en gruppe", "Ei ryhmää", "Ei ryhmässä", "Нет группы", "Без группы",
    "Не в группе", "Немає групи", "Не в групі", "Brak grupy", "Nie w grupie", "Bez grupy", "Žádná skupina",
    "Není ve skupině", "Nincs csoport", "Nincs csoportban", "Καμία ομάδα", "Όχι σε ομάδα", "Grup yok",
    "Bir grupta değil", "لا توجد مجموعة", "ليس في مجموعة", "بدون مجموعة", "グループなし", "グループ外", "不在小组中",
    "没有小组", "无小组", "不在群組中", "모둠 없음", "Cap grup", "En cap grup", "Sen grupo", "Fóra dun grupo",
    "Tanpa grup", "Tidak dalam grup", "Tidak di kelompok manapun",
)  # fmt: skip
