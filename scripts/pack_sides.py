"""Writes src/broadsheet/stories/data/sides.tsv: the words that say for whom somebody speaks.

Countries and their people come from the packaged places (GeoNames, CC BY 4.0); capitals, ministries and parties are
listed here; members of the US Congress come from unitedstates/congress-legislators (CC0 1.0).

    python scripts/pack_sides.py LEGISLATORS.yaml

One line a name: kind (country, body, party, member), the name, the side it stands for.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent / "src/broadsheet"
SHORT = {"United States": "US", "United Kingdom": "UK"}
CAPITALS = """
Washington US|Beijing China|Moscow Russia|London UK|Paris France|Berlin Germany|Tokyo Japan|Seoul South Korea|Rome Italy
Pyongyang North Korea|Tehran Iran|Kyiv Ukraine|Kiev Ukraine|Brussels European Union|Ankara Turkey|Jerusalem Israel
Tel Aviv Israel|New Delhi India|Delhi India|Islamabad Pakistan|Riyadh Saudi Arabia|Damascus Syria|Baghdad Iraq
Kabul Afghanistan|Cairo Egypt|Ottawa Canada|Canberra Australia|Taipei Taiwan|Hanoi Vietnam|Manila Philippines
Jakarta Indonesia|Bangkok Thailand|Warsaw Poland|Madrid Spain|Athens Greece|Havana Cuba|Caracas Venezuela
Brasília Brazil|Brasilia Brazil|Pretoria South Africa|Abuja Nigeria|Nairobi Kenya|Addis Ababa Ethiopia|Budapest Hungary
Prague Czech Republic|Vienna Austria|Stockholm Sweden|Oslo Norway|Helsinki Finland|Copenhagen Denmark|Lisbon Portugal
Dublin Ireland|The Hague Netherlands|Bern Switzerland|Belgrade Serbia|Minsk Belarus|Doha Qatar|Beirut Lebanon
Amman Jordan|Tripoli Libya|Khartoum Sudan|Bogotá Colombia|Lima Peru|Wellington New Zealand|Colombo Sri Lanka
Dhaka Bangladesh|Kathmandu Nepal|Yerevan Armenia|Baku Azerbaijan|Tbilisi Georgia|Hong Kong Hong Kong|Taiwan Taiwan
Taiwanese Taiwan|European European Union|EU European Union|E.U. European Union
"""
BODIES = """
State Department=US|White House=US|Pentagon=US|Justice Department=US|Department of Justice=US|Treasury Department=US
Defense Department=US|Department of Defense=US|Department of State=US|National Security Council=US|Homeland Security=US
FBI=US|CIA=US|NSA=US|Federal Bureau of Investigation=US|Central Intelligence Agency=US|Oval Office=US|Capitol Hill=US
US Treasury=US|Environmental Protection Agency=US|Commerce Department=US|Labor Department=US|Energy Department=US
Secretary of State=US|Biden administration=US|Trump administration=US|Obama administration=US|Bush administration=US
Federal Reserve=Federal Reserve|Supreme Court=Supreme Court
Downing Street=UK|Foreign Office=UK|Home Office=UK|Whitehall=UK|Ministry of Defence=UK|Buckingham Palace=UK|Commons=UK
Kremlin=Russia|Duma=Russia|Zhongnanhai=China|Politburo=China|State Council=China|People's Liberation Army=China
Élysée=France|Elysee=France|Bundestag=Germany|Bundeswehr=Germany|Knesset=Israel|IDF=Israel|Israel Defense Forces=Israel
IRGC=Iran|Revolutionary Guards=Iran|Blue House=South Korea|Lok Sabha=India|Holy See=Vatican|Vatican=Vatican
European Commission=European Union|European Parliament=European Union|European Council=European Union
European Union=European Union|European Central Bank=European Central Bank|ECB=European Central Bank
United Nations=United Nations|UN=United Nations|U.N.=United Nations|Nato=NATO|NATO=NATO|World Health Organization=WHO
Security Council=United Nations|WHO=WHO|IMF=IMF|International Monetary Fund=IMF|World Bank=World Bank
World Trade Organization=WTO|WTO=WTO|African Union=African Union|Taliban=Taliban|Hamas=Hamas|Hezbollah=Hezbollah
Islamic State=Islamic State|Palestinian Authority=Palestine|Fatah=Palestine|Houthi=Houthis|Houthis=Houthis
"""
PARTIES = """
Republican=Republicans|Republicans=Republicans|GOP=Republicans|Democrat=Democrats|Democrats=Democrats
Democratic=Democrats|Libertarian=Libertarians|Green Party=Green Party|Labour=Labour|Labor Party=Labor Party
Conservative Party=Conservatives|Conservatives=Conservatives|Tory=Conservatives|Tories=Conservatives
Liberal Democrat=Liberal Democrats|Liberal Democrats=Liberal Democrats|Lib Dem=Liberal Democrats|Lib Dems=Liberal Democrats
SNP=SNP|Scottish National Party=SNP|Plaid Cymru=Plaid Cymru|Sinn Fein=Sinn Fein|Sinn Féin=Sinn Fein|DUP=DUP
UKIP=UKIP|Reform UK=Reform UK|CDU=CDU|SPD=SPD|AfD=AfD|CSU=CSU|FDP=FDP|Likud=Likud|BJP=BJP|Kuomintang=Kuomintang
KMT=Kuomintang|DPP=DPP|Communist Party=Communist Party|National Rally=National Rally|Front National=National Rally
En Marche=En Marche|Syriza=Syriza|Podemos=Podemos|Fidesz=Fidesz|Law and Justice=Law and Justice|Bloc Québécois=Bloc Québécois
New Democratic Party=New Democratic Party|NDP=New Democratic Party|Liberal Party=Liberal Party|Freedom Party=Freedom Party
Republican Party=Republicans|Democratic Party=Democrats|Tea Party=Republicans|Republican National Committee=Republicans
RNC=Republicans|Democratic National Committee=Democrats|DNC=Democrats
"""


def lines(written: str) -> list[str]:
    return [item for item in re.split(r"[|\n]", written) if item.strip()]


def members(path: Path) -> list[tuple[str, str]]:
    """Name and party of everyone who sits in Congress, from the few fields of the file that matter here."""
    found: list[tuple[str, str]] = []
    for record in re.split(r"(?m)^- id:", path.read_text("utf-8"))[1:]:
        named = re.search(r"(?m)^  name:\n((?:    .*\n)+)", record)
        parties = re.findall(r"(?m)^    party: (.+)$", record)
        if not named or not parties:
            continue
        parts = dict(re.findall(r"(?m)^    (\w+): '?(.+?)'?$", named[1]))
        side = {"Democrat": "Democrats", "Republican": "Republicans"}.get(parties[-1], parties[-1] + "s")
        for first in {parts["first"], parts.get("nickname", parts["first"])}:
            found.append((f"{first} {parts['last']}", side))
    return found


def main(legislators: Path) -> None:
    rows: dict[tuple[str, str], str] = {}
    for line in (PACKAGE / "articles/data/places.tsv").read_text("utf-8").splitlines():
        name, kind, stands_for = line.split("\t")
        if kind in ("country", "demonym"):
            rows["country", name] = SHORT.get(stands_for, stands_for)
    for line in lines(CAPITALS):
        capital = next(c for c in (line.rpartition(" ")[0], " ".join(line.split()[:2]), line.split()[0]) if c)
        for words in (1, 2):
            start = " ".join(line.split()[:words])
            rest = " ".join(line.split()[words:])
            if rest in rows.values() or rest in ("European Union", "Hong Kong", "Taiwan", "US", "UK"):
                capital, side = start, rest
                break
        else:
            raise SystemExit(f"no country in {line!r}")
        rows["country", capital] = side
    for kind, written in (("body", BODIES), ("party", PARTIES)):
        for line in lines(written):
            name, _, side = line.partition("=")
            rows[kind, name] = side
    for name, side in members(legislators):
        rows["member", name] = side
    out = PACKAGE / "stories/data/sides.tsv"
    out.write_text("".join(f"{kind}\t{name}\t{side}\n" for (kind, name), side in sorted(rows.items())), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
