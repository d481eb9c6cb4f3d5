// Tables against pandas and pyarrow, and Parquet files that are broken.
#include <nlohmann/json.hpp>

#include "labelprobe/files/table.h"

#include "data/small_root.h"
#include "files/parquet/parquet_module.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::files {
namespace {

using Json = nlohmann::json;
using std::string_view_literals::operator""sv;

constexpr TableOptions kAsPandas = {std::nullopt, '\0', SwallowedRows::Allow, TableRows::All, {}};
constexpr const char* kNoReader = "no Apache Arrow, so no reader of Parquet was built";

bool has_no_reader() {
  return !std::filesystem::exists(support::build_folder() / kParquetModule);
}

bool is_compressed(const Json& given) {
  return given.contains("base64");
}

// The bytes behind RFC 4648's letters.
std::string bytes_of(const std::string& letters) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  unsigned group = 0;
  int n_bits = 0;
  for (const char letter : letters.substr(0, letters.find('='))) {
    group = group << 6U | static_cast<unsigned>(kDigits.find(letter));
    n_bits += 6;
    if (n_bits < 8) continue;
    n_bits -= 8;
    bytes += static_cast<char>(group >> static_cast<unsigned>(n_bits) & 0xFFU);
  }
  return bytes;
}

bool is_parquet(const Json& given) {
  return given.at("name").get<std::string>().ends_with(".parquet");
}

Json cases() {
  return support::read_json(support::fixture("files/tables.json")).at("tables");
}

void expect_as_expected(const Table& table, const Json& expected) {
  INFO(table.name);
  REQUIRE(Json(table.columns) == expected.at("columns"));
  REQUIRE(table.rows.size() == expected.at("rows").size());
  REQUIRE(table.places.size() == table.rows.size());
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    INFO(table.places[i]);
    REQUIRE(Json(table.rows[i]) == expected.at("rows")[i]);
  }
}

std::string fixture_bytes(const std::string& name) {
  return support::read_file(support::fixture("files/parquet/" + name));
}

// The message for a Parquet file with these bytes, without its folder; empty if there is none.
std::string message(const std::string& bytes) {
  data::SmallRoot root;
  const std::string path = root.write("t.parquet", bytes);
  const std::string said = support::message_of<Error>([&] { read_table(path); });
  return said == "no error" ? "" : said.substr(said.find("t.parquet"));
}

}  // namespace

TEST_CASE("Tables of text are what pandas reads", "[golden]") {
  std::size_t n_tables = 0;
  for (const Json& given : cases()) {
    if (is_parquet(given) || is_compressed(given)) continue;
    data::SmallRoot root;
    const std::string path = root.write(given.at("name"), given.at("text"));
    expect_as_expected(read_table(path, kAsPandas), given);
    ++n_tables;
  }
  CHECK(n_tables == 44);
}

TEST_CASE("Compressed tables are what pandas reads, cut or changed ones end in a message",
          "[golden]") {
  std::size_t n_tables = 0;
  for (const Json& given : cases()) {
    if (!is_compressed(given)) continue;
    data::SmallRoot root;
    const std::string whole = bytes_of(given.at("base64"));
    const std::string path = root.write(given.at("name"), whole);
    expect_as_expected(read_table(path, kAsPandas), given);
    ++n_tables;
    for (std::size_t size = 0; size < whole.size(); size += 7) {
      root.write(given.at("name"), whole.substr(0, size));
      CHECK_THROWS_AS(read_table(path, kAsPandas), DataError);
      std::string changed = whole;
      changed[size] = static_cast<char>(changed[size] ^ 0x14);
      root.write(given.at("name"), changed);
      support::message_of<Error>([&] { read_table(path, kAsPandas); });  // or it is read
    }
  }
  CHECK(n_tables == 16);
}

TEST_CASE("Parquet files are what pyarrow reads", "[golden]") {
  if (has_no_reader()) SKIP_ALOUD(kNoReader);
  std::size_t n_tables = 0;
  for (const Json& given : cases()) {
    if (!is_parquet(given)) continue;
    const std::string name = given.at("name");
    expect_as_expected(read_table(support::fixture("files/parquet/" + name)), given);
    ++n_tables;
  }
  CHECK(n_tables == 28);
}

TEST_CASE("Rows of Parquet files know their row group", "[unit]") {
  if (has_no_reader()) SKIP_ALOUD(kNoReader);
  const Table table = read_table(support::fixture("files/parquet/t13.parquet"));
  REQUIRE(table.rows.size() > 4);
  CHECK(table.places[0] == table.name + ": row 0 (row group 0)");
  CHECK(table.places[4] == table.name + ": row 4 (row group 1)");
}

TEST_CASE("A file that is no Parquet, or a part of one, is refused", "[unit]") {
  const std::string whole = fixture_bytes("t13.parquet");
  CHECK(message("a,b\n1,2\n") ==
        "t.parquet: expected a Parquet file, which begins with 'PAR1', found 'a,b?'");
  CHECK(message("") == "t.parquet: expected a Parquet file, which begins with 'PAR1', found ''");
  CHECK(message(whole.substr(0, 100)) ==
        "t.parquet: expected a Parquet file, which ends with 'PAR1', found 100 bytes without; it "
        "may be cut off: fetch it again");
}

TEST_CASE("A broken Parquet file ends in a message", "[unit]") {
  if (has_no_reader()) SKIP_ALOUD(kNoReader);
  const std::string whole = fixture_bytes("t13.parquet");
  const std::string footer_length = whole.substr(whole.size() - 8, 4);
  const std::string broken = "t.parquet: expected a whole Parquet file, found a broken one: ";
  // The footer's length, beyond the file and into its middle.
  for (const std::string_view length :
       {"\xFF\xFF\xFF\x7F"sv, "\xFF\xFF\xFF\xFF"sv, "\x01\x02\x00\x00"sv}) {
    CHECK_THAT(message(whole.substr(0, whole.size() - 8) + std::string(length) + "PAR1"),
               ContainsSubstring(broken));
  }
  // Cut inside, with the end that says all is well.
  for (std::size_t n = 4; n + 8 < whole.size(); n += 401) {
    CHECK_THAT(message(whole.substr(0, n) + footer_length + "PAR1"), ContainsSubstring(broken));
  }
}

TEST_CASE("Bytes of a Parquet file that are changed are refused or read, never more", "[unit]") {
  if (has_no_reader()) SKIP_ALOUD(kNoReader);
  std::size_t n_refused = 0;
  for (const std::string name : {"t0.parquet", "t3.parquet", "t5.parquet"}) {
    const std::string whole = fixture_bytes(name);
    for (std::size_t at = 4; at + 4 < whole.size(); at += 307) {
      std::string changed = whole;
      changed[at] = static_cast<char>(changed[at] ^ (at % 2 == 0 ? 0xFF : 0x10));
      n_refused += message(changed).empty() ? 0 : 1;
    }
  }
  CHECK(n_refused > 20);
}

}  // namespace labelprobe::files
