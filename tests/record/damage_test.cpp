// Files of a log of which one byte was changed: whichever it is, that is noticed.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "labelprobe/core/error.h"
#include "labelprobe/record/logged_run.h"
#include "labelprobe/record/run_list.h"
#include "labelprobe/record/run_view.h"

#include "record/commands.h"
#include "record/folder/journal.h"
#include "record/folder/manifest.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

namespace fs = std::filesystem;
using support::read_file;
using support::write_file;

// The text with another byte at a place: a flipped bit, and one that means something.
std::vector<std::string> changed_at(const std::string& text, std::size_t at) {
  constexpr std::string_view kMeaningful = "\n 0\"";
  std::vector<std::string> changed;
  for (const char byte :
       {static_cast<char>(text[at] ^ (1 << (at % 8))), kMeaningful[at % kMeaningful.size()]}) {
    if (byte == text[at]) continue;
    changed.push_back(text);
    changed.back()[at] = byte;
  }
  return changed;
}

TEST_CASE("No changed byte of a manifest goes unseen", "[damage]") {
  const support::TempFolder folder;
  run_command(make_plain_request(folder.path()));
  const fs::path file = preview(make_plain_request(folder.path())).folder / kManifestName;
  const std::string text = read_file(file);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const std::string& changed : changed_at(text, at)) {
      write_file(file, changed);
      INFO("byte " << at);
      REQUIRE_THROWS_AS(Manifest::load(file), DataError);
    }
  }
  for (std::size_t n = 0; n < text.size(); ++n) {
    write_file(file, text.substr(0, n));
    REQUIRE_THROWS_AS(Manifest::load(file), DataError);
  }
}

TEST_CASE("Manifests of earlier versions need no checksum, and one that is there has to be right",
          "[damage]") {
  const support::TempFolder folder;
  const fs::path file = folder.path() / kManifestName;
  const std::string text = Manifest{}.encode();
  nlohmann::json older = nlohmann::json::parse(text);
  older["format"] = 2;
  older.erase("xxh3");
  write_file(file, older.dump());
  CHECK(Manifest::load(file).experiments.empty());
  older["format"] = 3;
  write_file(file, older.dump());
  CHECK_THROWS_WITH(Manifest::load(file), ContainsSubstring("does not end with its checksum"));
  std::string changed = text;
  changed.replace(changed.find("\"format\": 3"), 11, "\"format\": 2");
  write_file(file, changed);
  CHECK_THROWS_WITH(Manifest::load(file), ContainsSubstring("its checksum is another"));
}

TEST_CASE("Whatever byte of a journal is changed, the sound items are kept", "[damage]") {
  const support::TempFolder folder;
  const fs::path file = folder.path() / "journal_0.jsonl";
  const std::vector<ItemRecord> items = {make_item("a"), failed_item(make_item("b")),
                                         make_verbalized_item("c")};
  std::string text;
  for (const ItemRecord& item : items) text += encode_item(item);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const std::string& changed : changed_at(text, at)) {
      write_file(file, changed);
      const Journal journal = load_journal(file);
      INFO("byte " << at);
      REQUIRE((!journal.damaged_lines.empty() || journal.n_torn_bytes > 0));
      REQUIRE(journal.items.size() >= 1);
      for (const ItemRecord& item : items) {
        const auto found = journal.items.find(item.key);
        REQUIRE((found == journal.items.end() || found->second == item));
      }
    }
  }
}

TEST_CASE("Readers of a finished run notice any changed byte of its items", "[damage]") {
  const support::TempFolder folder;
  run_command(make_plain_request(folder.path()));
  const fs::path out = preview(make_plain_request(folder.path())).folder;
  for (const char* name : {"indexed_metrics.yml", "annotator_preds.yml", "numbers.yml"}) {
    const std::string text = read_file(out / name);
    for (std::size_t at = 0; at < text.size(); at += 29) {
      write_file(out / name, changed_at(text, at).front());
      INFO(name << ", byte " << at);
      std::vector<std::string> notes;
      REQUIRE(list_runs(out, Verify::Bytes, notes)[0].state == RunState::Damaged);
      if (std::string(name) == "numbers.yml") {
        // Means over the folder would be wrong: the next seed goes elsewhere, and says why.
        const RunPreview seen = preview(make_plain_request(folder.path(), 1));
        REQUIRE(seen.folder != out);
        REQUIRE_THAT(seen.notes.at(0), ContainsSubstring("passed over " + out.string()));
      } else {
        REQUIRE_THROWS_AS(read_run(out, 0, Annotators::All), DataError);
      }
    }
    write_file(out / name, text);
  }
}

TEST_CASE("Who looks at a run with a damaged journal is told", "[damage]") {
  const support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  const std::vector<ItemRecord> items = {make_item("a"), failed_item(make_item("c")),
                                         make_item("d")};
  Run::open(request).append(items);
  const fs::path out = preview(request).folder;
  std::string text = read_file(out / "journal_0.jsonl");
  text[30] ^= 1;
  write_file(out / "journal_0.jsonl", text);
  std::vector<std::string> notes;
  const ListedRun listed = list_runs(folder.path(), Verify::Sizes, notes).at(0);
  CHECK(listed.state == RunState::Unfinished);
  CHECK(listed.n_items == 2U);
  CHECK(listed.damage == (out / "journal_0.jsonl").string() + ": damaged lines (1)");
  CHECK(RunView::open(out).damage() == "damaged lines (1)");
  CHECK(RunView::open(out).n_failed() == 1U);
  CHECK_THAT(preview(request).notes.at(0), ContainsSubstring("damaged lines (1) of its journal"));
  // The failed item may have been computed again in the line that is damaged.
  CHECK(Run::open(request).finished().size() == 1);
}

}  // namespace
}  // namespace labelprobe::record
