#include "labelprobe/record/item_store.h"

#include <filesystem>
#include <string>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/files/disk.h"

#include "record/folder/journal.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

ItemRecord item_named(const std::string& key) {
  ItemRecord item;
  item.key = key;
  item.annotator = "aggregate";
  item.outs = "an answer to " + key;
  return item;
}

// A journal of these items, and the store that knows where they are.
struct Written {
  explicit Written(const std::vector<ItemRecord>& items) : out(disk.open_append(path)) {
    store.open(path);
    JournalLines(items).append_to(out, store);
  }
  support::TempFolder folder;
  std::filesystem::path path = folder.path() / "journal_0.jsonl";
  files::Disk disk;
  files::AppendFile out;
  ItemStore store;
};

TEST_CASE("Items are read back from where they were written, the last one of a key",
          "[item_store]") {
  Written written({item_named("a"), item_named("b")});
  ItemRecord again = item_named("a");
  again.outs = "another answer";
  JournalLines({&again, 1}).append_to(written.out, written.store);
  CHECK(written.store.size() == 2);
  CHECK(written.store.at("a") == again);
  CHECK(written.store.at("b") == item_named("b"));
  CHECK_FALSE(written.store.contains("c"));
  CHECK_THROWS_AS(written.store.at("c"), InternalError);
  const ItemStore read = read_journal(written.path);
  CHECK(read.at("a") == again);
  CHECK(read.size() == 2);
}

TEST_CASE("Items of no journal are held, and failed ones can be forgotten", "[item_store]") {
  ItemStore store;
  ItemRecord failed = item_named("b");
  failed.failure = "too long";
  store.hold(item_named("a"));
  store.hold(failed);
  CHECK(store.is_failed("b"));
  CHECK_FALSE(store.is_failed("a"));
  CHECK(store.at("b") == failed);
  CHECK(store.erase_failed() == 1);
  CHECK(store.keys() == std::set<std::string>{"a"});
  CHECK(store.at("a") == item_named("a"));
}

TEST_CASE("A line that was changed since is no item", "[item_store]") {
  const Written written({item_named("a"), item_named("b")});
  std::string text = support::read_file(written.path);
  text[20] = text[20] == 'x' ? 'y' : 'x';
  text.resize(text.size() - 5);
  support::write_file(written.path, text);
  for (const char* key : {"a", "b"}) {
    CHECK_THROWS_AS(written.store.at(key), DataError);
    CHECK_THROWS_WITH(written.store.at(key),
                      ContainsSubstring("journal_0.jsonl, byte ") &&
                          ContainsSubstring("expected the line of item '" + std::string(key)) &&
                          ContainsSubstring("give the same command again"));
  }
}

}  // namespace
}  // namespace labelprobe::record
