"""Moodle's terms for groups, people, addresses and “in no group”, in the languages of its sites. Pure data.

They are hints: an address column is recognised by its content, students in no group by the structure of the file, and
`--column` and `--no-group` supply what is missing here.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from labkit.csv_cells import unescape_formula
from roster.names import clean_name

_SURROUNDING = re.compile(r"^[\s\[\](){}<>«»„“”\"'*\-–—_.:]+|[\s\[\](){}<>«»„“”\"'*\-–—_.:]+$")
_APOSTROPHES = str.maketrans("’‘ʼ`´", "'''''")


def term_key(text: str) -> str:
    """Return a term in lower case, with plain apostrophes, without surrounding brackets, quotation marks and dashes."""
    plain = clean_name(unescape_formula(html.unescape(text))).translate(_APOSTROPHES)
    return _SURROUNDING.sub("", plain).casefold()


def _terms(text: str) -> frozenset[str]:
    return frozenset(term_key(word) for word in text.split("|"))


@dataclass(frozen=True)
class Language:
    """The terms in one language, separated by `|`.

    `no_group` is in the group's cell of a student in no group, `not_in_group` in the grouping's cell beside it, and
    `not_in_grouping` in the grouping's cell of a group in no grouping. `person` are headers of personal data: names,
    numbers, institution and department.
    """

    group: str
    grouping: str
    no_group: str
    not_in_group: str
    not_in_grouping: str
    email: str
    person: str


LANGUAGES = {
    "ar": Language(
        "مجموعة | المجموعة | مجموعات | المجموعات | اسم المجموعة",
        "التجميع",
        "لا توجد مجموعة | بدون مجموعة | لا توجد مجموعات | بلا مجموعات | لا يوجد محموعات",
        "ليس في المجموعة | ليس في مجموعة",
        "غير موجود في تجميع | غير موجود في التجميع",
        "عنوان البريد الإلكتروني | البريد الإلكتروني",
        "الاسم الأول | الاسم الأخير | الاسم كاملا | الاسم | رقم المُعرَّف | رقم بطاقة التعريف | اسم المستخدم"
        " | مؤسسة | المؤسسة | قسم | القسم",
    ),
    "ca": Language(
        "Grup | Grups | Nom del grup",
        "Agrupament",
        "Sense grup | Sense grups | Cap grup",
        "En cap grup",
        "En cap agrupament",
        "Adreça electrònica",
        "Nom | Cognoms | Nom complet | Número ID | Nom d'usuari | Institució | Departament",
    ),
    "de": Language(
        "Gruppe | Gruppen | Gruppenname | Gruppe(n)",
        "Gruppierung",
        "Keine Gruppe | Keine Gruppen | Ohne Gruppe",
        "Nicht in einer Gruppe | In keiner Gruppe",
        "Nicht in einer Gruppierung",
        "E-Mail-Adresse | E-Mail | Mailadresse",
        "Vorname | Nachname | Familienname | Name | Vollständiger Name | ID-Nummer | Matrikelnummer | Anmeldename"
        " | Institution | Abteilung | Nutzer/in",
    ),
    "el": Language(
        "Ομάδα | Ομάδες | Ομάδα συμμετεχόντων | Όνομα ομάδας",
        "Ομαδοποίηση",
        "Καμία ομάδα | Χωρίς ομάδες | Καθόλου ομάδες",
        "Όχι σε ομάδα",
        "Όχι σε ομαδοποίηση",
        "Διεύθυνση ηλε.ταχυδρομείου | Διεύθυνση ηλεκτρονικού ταχυδρομείου",
        "Μικρό/Βαπτιστικό όνομα | Όνομα | Επίθετο | Επώνυμο | Πλήρες όνομα | Αναγνωριστικός αριθμός"
        " | Αριθμός ταυτότητας | Όνομα χρήστη | Ίδρυμα | Τμήμα",
    ),
    "en": Language(
        "Group | Group name | Groups",
        "Grouping",
        "No group | No groups | Without group",
        "Not in a group | Not in any group",
        "Not in a grouping",
        "Email | E-mail | Mail | Email address | E-mail address",
        "First name | Firstname | Last name | Lastname | Surname | Family name | Given name | Name | Full name | User"
        " | Username | User name | ID number | Student ID | Institution | Department | Suspended",
    ),
    "es": Language(
        "Grupo | Grupos | Nombre del grupo",
        "Agrupamiento",
        "Sin grupo | No hay grupo | No hay grupos",
        "NO está en un grupo | No en un grupo | En ningún grupo",
        "No está en un agrupamiento | Fuera de un agrupamiento",
        "Dirección de correo | Dirección Email | Correo electrónico | Correo",
        "Nombre | Apellido(s) | Apellidos | Nombre completo | Número de ID"
        " | Nombre de usuario | Institución | Departamento",
    ),
    "eu": Language(
        "Taldea | Taldeak | Taldearen izena",
        "Talde-multzoa | Taldekatzea",
        "Talderik ez",
        "Talderik gabe | Taldean ez",
        "Talde-multzotik kanpo | Taldekatzetik kanpo",
        "Helbide elektronikoa | E-posta helbidea",
        "Izena | Abizena | Abizena(k) | Deitura | Izen osoa | ID zenbakia"
        " | Erabiltzaile-izena | Erakundea | Departamentua",
    ),
    "fr": Language(
        "Groupe | Groupes | Nom du groupe",
        "Groupement",
        "Aucun groupe | Pas de groupe",
        "Membre d'aucun groupe | Pas dans un groupe | Dans aucun groupe",
        # Some versions use the same term for both.
        "Membre d'aucun groupement | Dans aucun groupement | Pas dans un groupe | Dans aucun groupe",
        "Adresse de courriel | Courriel | Adresse e-mail",
        "Prénom | Nom | Nom de famille | Nom complet | Numéro d'identification"
        " | Nom d'utilisateur | Institution | Département",
    ),
    "gl": Language(
        "Grupo | Grupos | Nome do grupo",
        "Agrupamento",
        "Sen grupo | Sen grupos",
        "Fóra dun grupo | Fora dun grupo",
        "Fóra dun agrupamento | Fora dun agrupamento",
        "Enderezo de correo",
        "Nome | Apelido(s) | Apelidos | Apelido | Nome completo | Número ID"
        " | Nome de usuario | Institución | Departamento",
    ),
    "it": Language(
        "Gruppo | Gruppi | Nome gruppo",
        "Raggruppamento",
        "Nessun gruppo | Senza gruppi",
        "Senza gruppo | Non in un gruppo",
        "Senza raggruppamento | Non raggruppati",
        "Indirizzo email | Indirizzo e-mail",
        "Nome | Cognome | Nome completo | Codice identificativo | Username | Istituzione | Dipartimento",
    ),
    "ja": Language(
        "グループ | グループ名",
        "グルーピング",
        "グループなし",
        "グループ外",
        "グルーピング外 | グルーピング未登録",
        "メールアドレス",
        "名 | 姓 | 名称 | フルネーム | IDナンバ | IDナンバー | ユーザ名 | 所属組織 | 部署",
    ),
    "ko": Language(
        "모둠 | 그룹 | 모둠 이름",
        "모둠무리",
        "그룹 없음 | 모둠 없음",
        "그룹에 없음 | 모둠에 없음",
        "모둠무리속에 없음",
        "이메일 주소",
        "이름 | 성 | 전체 이름 | id 번호 | 사용자 아이디 | 기관 | 부서",
    ),
    "lt": Language(
        "Grupė | Grupės | Kurso grupės | Grupės pavadinimas",
        "Grupavimas",
        "Nėra grupės | Nėra grupių",
        "Ne grupėje",
        "Nėra grupavime",
        "El. pašto adresas",
        "Vardas | Pavardė | Visas pavadinimas | ID numeris | Naudotojo vardas | Institucija | Skyrius",
    ),
    "nl": Language(
        "Groep | Groepen | Groepsnaam",
        "Groepering",
        "Geen groep | Geen groepen",
        "Niet in een groep",
        "Niet in een groepering",
        "E-mailadres",
        "Voornaam | Achternaam | Naam | Volledige naam | Nummer (ID) | Gebruikersnaam | Instituut | Afdeling",
    ),
    "pt": Language(
        "Grupo | Grupos | Nome do grupo",
        "Agrupamento",
        "Sem grupo | Nenhum grupo | Não há grupos",
        "Não pertence a nenhum grupo | Em nenhum grupo | Não está em um grupo",
        "Não pertence a nenhum agrupamento | Não está num agrupamento | Em nenhum agrupamento"
        " | Grupos que não estão em nenhum agrupamento",
        "Endereço de e-mail | E-mail",
        "Nome | Apelido | Sobrenome | Nome completo | Número de identificação (ID) | Código de identificação"
        " | Nome de utilizador | Instituição | Departamento",
    ),
    "ro": Language(
        "Grup | Grupuri | Nume grup",
        "Grupare",
        "Nu există grup | Fără grupuri | Niciun grup",
        "Nu face parte dintr-un grup",
        "Nu face parte dintr-o grupare",
        "Adresa de e-mail",
        "Prenume | Nume de familie | Nume | Nume complet | Număr ID"
        " | Nume de utilizator | Instituție | Departament",
    ),
    "ru": Language(
        "Группа | Группы | Название группы",
        "Поток",
        "Нет групп | Нет группы | Без группы",
        "Не входят в группу | Не в группе",
        "Группа вне потока",
        "Адрес электронной почты | Электронная почта",
        "Имя | Фамилия | Полное имя | Индивидуальный номер | Логин | Учреждение (организация) | Отдел",
    ),
    "sv": Language(
        "Grupp | Grupper | Gruppnamn",
        "Gruppindelning",
        "Ingen grupp | Inga grupper",
        "Ej med i en grupp | Inte i en grupp",
        "Ej med i en gruppindelning | Inte i gruppindelning",
        "E-postadress | E-post",
        "Förnamn | Efternamn | Namn | Fullständigt namn | Hela namnet | ID nummer"
        " | Användarnamn | Institution | Avdelning",
    ),
    "tr": Language(
        "Grup | Gruplar | Grup adı",
        "Gruplama",
        "Grup yok",
        "Bir grupta değil",
        "Gruplama içinde değil",
        "E-posta adresi | E-posta",
        "Adı | Soyadı | Tam adı | ID numarası | Kullanıcı adı | Kurum | Bölüm",
    ),
    "uk": Language(
        "Група | Групи | Назва групи",
        "Групування",
        "Немає груп | Немає групи",
        "Не в групі",
        "Не в групуванні",
        "Електронна пошта",
        "Ім'я | Прізвище | Повне ім'я | Індивідуальний номер | Ім'я входу | Заклад | Відділ",
    ),
    "ur": Language(
        "گروپ | گروپس | گروہ | گروپ کا نام",
        "گروپ بندی",
        "کوئی گروپ نہیں",
        "گروپ میں نہیں",
        "گروپ بندی میں نہیں",
        "ای میل اڈریس | پتہ برقی خط",
        "پہلا نام | کنیت | دوسرا نام | نام کا آخری حصہ | نام | پورا نام | آئی ڈی نمبر | صارف نام"
        " | یوزر نام | ادارہ | شعبہ",
    ),
    "vi": Language(
        "Nhóm | Tên nhóm",
        "Phân nhóm",
        "Không có nhóm",
        "Không trong một nhóm | Không ở trong nhóm | Không thuộc nhóm nào",
        "Không trong một phân nhóm",
        "Thư điện tử | Địa chỉ thư điện tử | Địa chỉ email",
        "Tên | Họ | Họ và tên | Tên đăng nhập | Mã số ID | Cơ quan | Khoa",
    ),
    "zh_cn": Language(
        "小组 | 组 | 组名",
        "大组",
        "没有小组 | 无小组 | 不分组",
        "不在小组中",
        "不在大组中",
        "电子邮件地址 | Email地址",
        "名 | 姓 | 姓氏 | 名称 | 全名 | 学号 | 用户名 | 机构 | 系别",
    ),
    "cs": Language(
        "Skupina | Skupiny", "Seskupení", "Žádná skupina | Bez skupiny", "Není ve skupině", "Není v seskupení",
        "E-mailová adresa", "Křestní jméno | Jméno | Příjmení | Celé jméno | Uživatelské jméno",
    ),
    "da, no": Language(
        "Gruppe | Grupper", "Gruppering", "Ingen gruppe | Ingen grupper", "Ikke i en gruppe", "Ikke i en gruppering",
        "E-mailadresse | E-postadresse", "Fornavn | Efternavn | Etternavn | Fulde navn | Fullt navn | Brukernavn",
    ),
    "fi": Language(
        "Ryhmä | Ryhmät", "Ryhmittely", "Ei ryhmää | Ei ryhmiä", "Ei ryhmässä", "Ei ryhmittelyssä",
        "Sähköpostiosoite | Sähköposti", "Etunimi | Sukunimi | Koko nimi | Käyttäjätunnus | Tunnistenumero",
    ),
    "he": Language(
        "קבוצה | קבוצות | שם קבוצה | שם הקבוצה | הקבוצה",
        "חלוקה לקבוצות | אגד קבוצות | קיבוץ קבוצות | התקבצות",
        "ללא קבוצה | אין קבוצה | אין קבוצות | ללא קבוצות | בלי קבוצה | אף קבוצה",
        "לא בקבוצה | לא שייך לקבוצה | לא שייכים לקבוצה | לא משויך לקבוצה | לא משוייך לקבוצה | אינו בקבוצה | אינם בקבוצה"
        " | לא נמצא בקבוצה | לא חבר בקבוצה | לא בשום קבוצה",
        "לא באגד קבוצות",
        'דוא"ל | דוא״ל | דואל | כתובת דוא"ל | כתובת דוא״ל | דואר אלקטרוני | כתובת דואר אלקטרוני | אימייל'
        " | כתובת אימייל | מייל",
        "שם פרטי | שם משפחה | שם | שם מלא | מספר זיהוי | תעודת זהות | שם משתמש | מוסד | מחלקה",
    ),
    "hu": Language(
        "Csoport | Csoportok", "Csoportosítás", "Nincs csoport", "Nincs csoportban", "Nincs csoportosításban",
        "E-mail cím", "Vezetéknév | Keresztnév | Teljes név | Felhasználónév",
    ),
    "id": Language(
        "Kelompok | Grup", "Pengelompokan", "Tanpa grup | Tidak ada grup", "Tidak dalam grup"
        " | Tidak di kelompok manapun", "Tidak didalam pengelompokan manapun",
        "Alamat email", "Nama depan | Nama akhir | Nama belakang | Nama lengkap | Nama pengguna",
    ),
    "pl": Language(
        "Grupa | Grupy", "Grupowanie", "Brak grupy | Brak grup | Bez grupy", "Nie w grupie", "Nie w grupowaniu",
        "Adres e-mail", "Imię | Nazwisko | Pełna nazwa | Numer ID | Nazwa użytkownika",
    ),
    "zh_tw": Language(
        "群組", "群組分類", "沒有群組 | 無群組", "不在群組中", "不是在分類之中",
        "電子郵件信箱", "名字 | 姓氏 | 姓 | 全名 | 學號 | 用戶名",
    ),
}  # fmt: skip
"""The terms by language code."""

# Languages without other known terms.
_MORE_GROUP_TERMS = "گروه | กลุ่ม | Grŵp | Rühm"
_MORE_EMAIL_TERMS = "پست الکترونیک"

GROUP_TERMS = _terms(_MORE_GROUP_TERMS).union(*(_terms(words.group) for words in LANGUAGES.values()))
EMAIL_TERMS = _terms(_MORE_EMAIL_TERMS).union(*(_terms(words.email) for words in LANGUAGES.values()))
PERSON_TERMS = frozenset[str]().union(*(_terms(words.person) for words in LANGUAGES.values()))
GROUPING_TERMS = frozenset[str]().union(*(_terms(words.grouping) for words in LANGUAGES.values()))
NOT_IN_GROUP_TERMS = frozenset[str]().union(*(_terms(words.not_in_group) for words in LANGUAGES.values()))
NOT_IN_GROUPING_TERMS = frozenset[str]().union(*(_terms(words.not_in_grouping) for words in LANGUAGES.values()))
NO_GROUP_TERMS = NOT_IN_GROUP_TERMS.union(*(_terms(words.no_group) for words in LANGUAGES.values()))
"""The terms in the group's cell of a student in no group."""
