"""Writes src/broadsheet/stories/data/given.tsv: given names and whom they mostly name.

The names are those of the US Census of 1990 (public domain), as the lists `dist.male.first` and `dist.female.first`
hold them, and the ones below of people that the world's news names often.

    python scripts/pack_given_names.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

OUT = Path(__file__).resolve().parent.parent / "src/broadsheet/stories/data/given.tsv"
MOST = 1500  # of each list: the rest are names of fewer than one in 25,000
MEN = """
Abdel Abdul Abdullah Abiy Adel Ahmad Ahmed Alejandro Alexei Alexey Ali Anatoly Andrei Andrés Andrzej Antonio António Anwar
Arjun Aslan Bashar Bassam Benjamin Benny Bernd Binyamin Björn Bogdan Boris Carles Cyril Dieter Dmitri Dmitry Donald
Ehud Emmanuel Emmerson Enrique Evo Faisal Fernando Fidel Filip Florian Franz François Friedrich Gerhard Giuseppe Gianni
Günther Hamid Hans Hasan Hassan Heiko Hiroshi Hosni Hugo Hussein Ibrahim Igor Imran Ismail Ivan Jacek Jacques Jair Jan
Janez Javier Jean Jens Joachim Jörg Jürgen Kais Kamal Karim Karl Keir Kenji Khalid Khalil Klaus Kofi Lars Lech Leonid
Luca Luis Luiz Maciej Mahmoud Marek Mario Markus Matteo Mateusz Mehmet Mevlüt Mihai Mikhail Miguel Milos Mohamed Mohammad
Mohammed Mohammad Muammar Muhammad Mustafa Mykhailo Naftali Nahendra Narendra Nelson Nicolas Nicolás Nigel Nikolai Nikos
Nouri Oleg Oleksandr Olaf Omar Osama Osman Pablo Pavel Pedro Petro Petr Piotr Pierre Rahul Rajiv Ramzan Recep Reza Robert
Rodrigo Salman Salvador Sergei Sergey Sergio Shinzo Silvio Sven Taro Tariq Tayyip Thabo Thierry Uhuru Uwe Vaclav Valery
Viktor Vitali Vladimir Volodymyr Walid Werner Wolfgang Xavier Yair Yasser Yevgeny Yoav Yoshihide Youssef Yusuf Zoran
"""
WOMEN = """
Aisha Amina Ana Angela Anna Annalena Annegret Aung Bela Benazir Carmen Carola Chrystia Cristina Dalia Dilma Ekaterina Elena
Elif Elke Erna Fatima Federica Gabriela Giorgia Gro Hanna Ivanka Jacinda Kaja Katja Kersti Khadija Leila Leyla Magdalena
Malala Maria María Marine Mariya Marta Melania Mette Michelle Mina Nadia Nadezhda Natalia Nicola Nirmala Noor Olga
Park Penelope Priti Rania Rosa Sabine Sahra Saima Samira Sanna Shirin Sigrid Sonia Svetlana Tatiana Tsai Ulrike Ursula
Valentina Viktoria Wangari Yulia Yuriko Zainab Zuzana
"""


def main(folder: Path) -> None:
    shares: dict[str, list[float]] = {}
    for column, name in enumerate(("male", "female")):
        for line in (folder / f"dist.{name}.first").read_text("ascii").splitlines()[:MOST]:
            given, share, *_ = line.split()
            shares.setdefault(given.capitalize(), [0.0, 0.0])[column] = float(share) + 0.0005
    sexes = {n: 1 if men > 4 * women else -1 if women > 4 * men else 0 for n, (men, women) in shares.items()}
    sexes |= dict.fromkeys(MEN.split(), 1) | dict.fromkeys(WOMEN.split(), -1)
    OUT.write_text("".join(f"{name}\t{sex}\n" for name, sex in sorted(sexes.items())), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
