#include "record/folder/journal.h"

#include <bit>
#include <cstring>
#include <fstream>
#include <limits>
#include <random>

#include "labelprobe/core/error.h"
#include "labelprobe/core/fingerprint.h"

#include "record/items.h"
#include "support/catch.h"
#include "support/paths.h"

using namespace std::string_literals;
using labelprobe::record::decode_item;
using labelprobe::record::encode_item;
using labelprobe::record::ItemRecord;
using labelprobe::record::load_journal;
using labelprobe::record::make_bare_readout;
using labelprobe::record::make_item;
using labelprobe::record::make_readout;
using labelprobe::record::make_word_item;

namespace {

// The item of a line as encode_item() gives it.
ItemRecord decode(std::string line) {
  line.pop_back();
  return decode_item(line, "here").value();
}

// The line with another item in it, and the right checksum for that.
std::string line_of(const std::string& item) {
  return R"({"item":)" + item + R"(,"xxh3":")" + labelprobe::fingerprint(item) + R"("})";
}

// The item's part of a line.
std::string item_in(const std::string& line) {
  const std::size_t begin = line.find(':') + 1;
  return line.substr(begin, line.rfind(R"(,"xxh3")") - begin);
}

}  // namespace

TEST_CASE("A journal line keeps every bit of every field", "[journal]") {
  ItemRecord item = make_item("12381__rater \"1\"");
  item.kind = labelprobe::LabelKind::SingleLabel;
  item.query_text = "nul \0 tab \t line\n\r \x7f \xC2\x85 \xE2\x80\xA8 \xF0\x9F\x98\x80"s;
  item.prefix_outs = "";
  item.stand_in_probs = {{"a", -std::numeric_limits<float>::infinity()},
                         {"b", std::numeric_limits<float>::infinity()},
                         {"c", -0.0f},
                         {"d", std::numeric_limits<float>::denorm_min()},
                         {"e", std::numeric_limits<float>::max()}};
  const ItemRecord read = decode(encode_item(item));
  CHECK(read == item);
  CHECK(std::signbit(read.stand_in_probs[2].second));

  ItemRecord failed = make_item("x");
  failed.failure = "the prompt does not fit";
  CHECK(decode(encode_item(failed)) == failed);
}

TEST_CASE("A journal line keeps what only word answers and pair prompts have", "[journal]") {
  ItemRecord word = make_word_item("a_unary_joy");
  word.checked_label = "joy";
  CHECK(decode(encode_item(word)) == word);
  word.greedy_answer.reset();
  word.predictions.clear();
  CHECK(decode(encode_item(word)) == word);
  const std::string line = item_in(encode_item(word));
  for (const std::string& damage : {"\"is_top\":1"s, "\"is_top\":null"s, "\"top\":true"s}) {
    std::string damaged = line;
    const std::string whole = "\"is_top\":true";
    damaged.replace(damaged.find(whole), whole.size(), damage);
    CHECK_THROWS_AS(decode_item(line_of(damaged), "f:1"), labelprobe::DataError);
  }
}

TEST_CASE("A journal line keeps what readouts say", "[journal]") {
  ItemRecord item = make_item("a");
  item.readouts = {make_readout("marginal_exact"), make_bare_readout("hazard_union")};
  CHECK(decode(encode_item(item)) == item);
  const std::string line = item_in(encode_item(item));
  for (const std::string& damage : {"\"answers\""s, "1"s}) {
    std::string damaged = line;
    const std::string whole = "\"answer\"";
    damaged.replace(damaged.find(whole), whole.size(), damage);
    CHECK_THROWS_AS(decode_item(line_of(damaged), "f:1"), labelprobe::DataError);
  }
}

TEST_CASE("Float32 values pass the journal bit for bit", "[journal]") {
  std::mt19937 random(1);
  ItemRecord item = make_item("x");
  item.stand_in_probs.clear();
  while (item.stand_in_probs.size() < 20000) {
    const float number = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (number == number) {
      item.stand_in_probs.emplace_back("l", number);
    }
  }
  const ItemRecord read = decode(encode_item(item));
  REQUIRE(read.stand_in_probs.size() == item.stand_in_probs.size());
  for (std::size_t i = 0; i < item.stand_in_probs.size(); ++i) {
    REQUIRE(std::bit_cast<std::uint32_t>(read.stand_in_probs[i].second) ==
            std::bit_cast<std::uint32_t>(item.stand_in_probs[i].second));
  }
  item.stand_in_probs = {{"nan", std::numeric_limits<float>::quiet_NaN()}};
  CHECK(std::isnan(decode(encode_item(item)).stand_in_probs[0].second));
}

TEST_CASE("Text that is not UTF-8 is refused with item and field", "[journal]") {
  ItemRecord item = make_item("de0");
  item.outs = "half a character \xC3";
  CHECK_THROWS_WITH(encode_item(item), ContainsSubstring("'de0'") && ContainsSubstring("'outs'"));
}

TEST_CASE("A torn last line is left out, damage before it is counted by line", "[journal]") {
  const labelprobe::support::TempFolder folder;
  const auto path = folder.path() / "journal_0.jsonl";
  const std::string one = encode_item(make_item("a"));
  const std::string two = encode_item(make_item("b"));
  const auto write = [&](const std::string& text) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
  };

  CHECK(load_journal(path).items.empty());
  for (std::size_t n_torn = 0; n_torn < two.size(); n_torn += 7) {
    write(one + two.substr(0, n_torn));
    const auto journal = load_journal(path);
    REQUIRE(journal.items.size() == 1);
    REQUIRE(journal.n_whole_bytes == one.size());
    REQUIRE(journal.n_torn_bytes == n_torn);
  }

  ItemRecord again = make_item("a");
  again.outs = "a second try";
  write(one + two + encode_item(again));
  CHECK(load_journal(path).items.at("a").outs == "a second try");

  for (const std::string& damage :
       {std::string("\n"), std::string("{}\n"), std::string("[]\n"), two.substr(0, 40) + "\n",
        std::string(100000, '[') + "\n", "\0\0\0\n"s, std::string("{\"key\": 1}\n")}) {
    write(one + damage + two);
    const auto journal = load_journal(path);
    CHECK(journal.damaged_lines == std::vector<std::size_t>{2});
    CHECK(journal.items.size() == 2);
  }
}

TEST_CASE("No changed bit of a journal line goes unseen", "[journal]") {
  std::string line = encode_item(make_item("a"));
  line.pop_back();
  for (std::size_t i = 0; i < line.size(); ++i) {
    std::string damaged = line;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << (i % 8)));
    INFO(i);
    REQUIRE_FALSE(decode_item(damaged, "here"));
  }
  for (std::size_t n = 0; n < line.size(); ++n) {
    REQUIRE_FALSE(decode_item(line.substr(0, n), "here"));
  }
}

TEST_CASE("Values out of range in a journal are errors", "[journal]") {
  const std::string line = item_in(encode_item(make_item("a")));
  const auto swapped = [&](const std::string& from, const std::string& to) {
    std::string changed = line;
    const std::size_t at = changed.find(from);
    REQUIRE(at != std::string::npos);
    return changed.replace(at, from.size(), to);
  };
  const std::vector<std::string> damaged = {
      swapped("[12,5,900]", "[12,5,4294967296]"),
      swapped("[12,5,900]", "[-1]"),
      swapped("[12,5,900]", "{}"),
      swapped("\"n_prompt_tokens\":321", "\"n_prompt_tokens\":1e3"),
      swapped("\"kind\":\"multi\"", "\"kind\":\"many\""),
      swapped("12.25", "\"big\""),
      swapped("[\"joy\",12.25]", "[\"joy\"]"),
      swapped("[\"joy\",12.25]", "[" + std::string(100000, '[') + std::string(100000, ']') + "]"),
  };
  for (const std::string& text : damaged) {
    CHECK_THROWS_AS(decode_item(line_of(text), "f:1"), labelprobe::DataError);
    CHECK_THROWS_WITH(decode_item(line_of(text), "f:1"), ContainsSubstring("f:1: not a record"));
  }
}
