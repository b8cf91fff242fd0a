"""The words of Moodle's language packs that occur in its exports, and words of an unknown language."""

from __future__ import annotations

from typing import NamedTuple


class LanguagePack(NamedTuple):
    """Moodle's words for headers, and for the cells for students without a group."""

    grouping: str
    group: str
    groups: str
    first_name: str
    last_name: str
    id_number: str
    email: str
    choice_group: str
    choice: str
    no_group: str
    not_in_group: str
    not_in_grouping: str
    no_groups: str


def _pack(words: str) -> LanguagePack:
    return LanguagePack(*words.split(" | "))


LANGUAGE_PACKS = {
    "ar": _pack(
        "التجميع | مجموعة | المجموعات | الاسم الأول | الاسم الأخير | رقم المُعرَّف"
        " | عنوان البريد الإلكتروني | مجموعة | اختيار | لا توجد مجموعة | ليس في المجموعة"
        " | غير موجود في تجميع | لا توجد مجموعات"
    ),
    "ca": _pack(
        "Agrupament | Grup | Grups | Nom | Cognoms | Número ID | Adreça electrònica | Grup | Opció"
        " | Sense grup | [En cap grup] | [en cap agrupament] | Sense grups"
    ),
    "ca 4.5": _pack(
        "Agrupament | Grup | Grups | Nom | Cognoms | Número ID | Adreça electrònica | Grup | Opció"
        " | Sense grup | En cap grup | En cap agrupament | Sense grups"
    ),
    "de": _pack(
        "Gruppierung | Gruppe | Gruppen | Vorname | Nachname | ID-Nummer | E-Mail-Adresse | Gruppe"
        " | Gruppenwahl | Keine Gruppe | Nicht in einer Gruppe | Nicht in einer Gruppierung"
        " | Keine Gruppen"
    ),
    "el": _pack(
        "Ομαδοποίηση | Ομάδα συμμετεχόντων | Ομάδες | Μικρό/Βαπτιστικό όνομα | Επίθετο"
        " | Αναγνωριστικός αριθμός | Διεύθυνση ηλε.ταχυδρομείου | Ομάδα | Επιλογή | Καμία ομάδα"
        " | Όχι σε ομάδα | Όχι σε ομαδοποίηση | Χωρίς ομάδες"
    ),
    "en": _pack(
        "Grouping | Group | Groups | First name | Last name | ID number | Email address | Group"
        " | Choice | No group | Not in a group | Not in a grouping | No groups"
    ),
    "es": _pack(
        "Agrupamiento | Grupo | Grupos | Nombre | Apellido(s) | Número de ID | Dirección de correo"
        " | Grupo | Elección | Sin grupo | NO está en un grupo | No está en un agrupamiento"
        " | No hay grupos"
    ),
    "eu": _pack(
        "Talde-multzoa | Taldea | Taldeak | Izena | Abizena | ID zenbakia | Helbide elektronikoa"
        " | Taldea | Aukeraketa | Talderik ez | Talderik gabe | Talde-multzotik kanpo | Talderik ez"
    ),
    "fr": _pack(
        "Groupement | Groupe | Groupes | Prénom | Nom de famille | Numéro d’identification"
        " | Adresse de courriel | Groupe | Choix | Aucun groupe | Membre d’aucun groupe"
        " | Membre d’aucun groupement | Aucun groupe"
    ),
    "gl": _pack(
        "Agrupamento | Grupo | Grupos | Nome | Apelido(s) | Número ID | Enderezo de correo | Grupo"
        " | Escolla | Sen grupo | Fóra dun grupo | Fóra dun agrupamento | Sen grupos"
    ),
    "it": _pack(
        "Raggruppamento | Gruppo | Gruppi | Nome | Cognome | Codice identificativo"
        " | Indirizzo email | Gruppo | Scelta | Nessun gruppo | Senza gruppo | Senza raggruppamento"
        " | Senza gruppi"
    ),
    "ja": _pack(
        "グルーピング | グループ | グループ | 名 | 姓 | IDナンバ | メールアドレス | グループ | 選択"
        " | グループなし | グループ外 | グルーピング外 | グループなし"
    ),
    "ko": _pack(
        "모둠무리 | 모둠 | 모둠 | 이름 | 성 | id 번호 | 이메일 주소 | 모둠 | Choice | No group"
        " | Not in a group | [모둠무리속에 없음] | 모둠 없음"
    ),
    "ko 4.5": _pack(
        "모둠무리 | 모둠 | 모둠 | 이름 | 성 | id 번호 | 이메일 주소 | 모둠 | Choice | 그룹 없음"
        " | 그룹에 없음 | [모둠무리속에 없음] | 모둠 없음"
    ),
    "lt": _pack(
        "Grupavimas | Grupė | Kurso grupės | Vardas | Pavardė | ID numeris | El. pašto adresas"
        " | Grupė | Choice | Nėra grupės | Ne grupėje | Nėra grupavime | Nėra grupių"
    ),
    "nl": _pack(
        "Groepering | Groep | Groepen | Voornaam | Achternaam | Nummer (ID) | E-mailadres | Groep"
        " | Keuze | Geen groep | Niet in een groep | Niet in een groepering | Geen groepen"
    ),
    "pt": _pack(
        "Agrupamento | Grupo | Grupos | Nome | Apelido | Número de identificação (ID)"
        " | Endereço de e-mail | Grupo | Escolha | Sem grupo | Não pertence a nenhum grupo"
        " | Não pertence a nenhum agrupamento | Não há grupos"
    ),
    "ro": _pack(
        "Grupare | Grup | Grupuri | Prenume | Nume de familie | Număr ID | Adresa de e-mail | Grup"
        " | Opțiune | Nu există grup | Nu face parte dintr-un grup | Nu face parte dintr-o grupare"
        " | Niciun grup"
    ),
    "ru": _pack(
        "Поток | Группа | Группы | Имя | Фамилия | Индивидуальный номер | Адрес электронной почты"
        " | Группа | Выбор | Нет групп | [Не входят в группу] | [Группа вне потока] | Нет групп"
    ),
    "sv": _pack(
        "Gruppindelning | Grupp | Grupper | Förnamn | Efternamn | ID nummer | E-postadress | Grupp"
        " | Val | Ingen grupp | Ej med i en grupp | Ej med i en gruppindelning | Inga grupper"
    ),
    "tr": _pack(
        "Gruplama | Grup | Gruplar | Adı | Soyadı | ID numarası | E-posta adresi | Grup | Choice"
        " | Grup yok | Bir grupta değil | Gruplama içinde değil | Grup yok"
    ),
    "uk": _pack(
        "Групування | Група | Групи | Ім'я | Прізвище | Індивідуальний номер | Електронна пошта"
        " | Група | (Вибір) Альтернатива | Немає груп | Не в групі | Не в групуванні | Немає груп"
    ),
    "ur": _pack(
        "گروپ بندی | گروپ | گروپس | پہلا نام | کنیت | آئی ڈی نمبر | ای میل اڈریس | گروپ | Choice"
        " | کوئی گروپ نہیں | گروپ میں نہیں | گروپ بندی میں نہیں | کوئی گروپ نہیں"
    ),
    "vi": _pack(
        "Phân nhóm | Nhóm | Nhóm | Tên | Họ | Mã số ID | Địa chỉ email | Nhóm | Choice"
        " | Không có nhóm | Không trong một nhóm | Không trong một phân nhóm | Không có nhóm"
    ),
    "zh_cn": _pack(
        "大组 | 小组 | 小组 | 名 | 姓氏 | 学号 | 电子邮件地址 | 小组 | 选项 | 没有小组 | 不在小组中"
        " | 不在大组中 | 无小组"
    ),
}
"""Maps language codes to language packs, most of them from version 4.1."""

UNKNOWN_LANGUAGE = LanguagePack(*(f"X{field}" for field in LanguagePack._fields))
"""A language in which the program knows no words."""
