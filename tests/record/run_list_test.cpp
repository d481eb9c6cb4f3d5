// The logs below a folder, and runs looked at item by item.
#include "labelprobe/record/run_list.h"

#include <filesystem>

#include "labelprobe/core/error.h"
#include "labelprobe/record/logged_run.h"
#include "labelprobe/record/run_view.h"

#include "record/items.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace fs = std::filesystem;
using labelprobe::record::ItemRecord;
using labelprobe::record::list_runs;
using labelprobe::record::ListedRun;
using labelprobe::record::make_item;
using labelprobe::record::make_request;
using labelprobe::record::param_of;
using labelprobe::record::read_run;
using labelprobe::record::Run;
using labelprobe::record::RunRequest;
using labelprobe::record::RunState;
using labelprobe::record::RunView;
using labelprobe::record::Verify;
using labelprobe::support::read_file;
using labelprobe::support::write_file;

namespace {

RunRequest request_of(const fs::path& root, std::int64_t seed, const std::string& name) {
  RunRequest request = make_request(root, seed);
  request.alternative_name = name;
  request.n_items = 3;
  param_of(request, "shot").value = static_cast<std::int64_t>(name.size());  // another run
  return request;
}

const std::vector<std::string> kListedKeys = {"a", "b", "b__r"};

fs::path finish(const RunRequest& request) {
  Run run = Run::open(request);
  run.append(std::vector<ItemRecord>{make_item("a"), make_item("b"), make_item("b__r")});
  run.finish(kListedKeys, std::nullopt, {});
  return run.folder();
}

}  // namespace

TEST_CASE("Logs are listed with state, items, plan and model", "[run_list]") {
  const labelprobe::support::TempFolder folder;
  const fs::path one = finish(request_of(folder.path(), 0, "one"));
  Run::open(request_of(folder.path(), 1, "one"))
      .append(std::vector<ItemRecord>{make_item("a"), make_item("b")});
  const fs::path two = finish(request_of(folder.path(), 0, "two/deep"));
  const Run running = Run::open(request_of(folder.path(), 1, "two/deep"));
  const fs::path damaged = finish(request_of(folder.path(), 0, "xx"));
  write_file(damaged / "manifest.json", read_file(damaged / "manifest.json").substr(0, 99));
  const fs::path published = finish(request_of(folder.path(), 0, "y"));
  fs::remove(published / "manifest.json");
  fs::create_directory_symlink(folder.path(), folder.path() / "loop");

  std::vector<std::string> notes;
  const auto runs = list_runs(folder.path(), Verify::Sizes, notes);
  CHECK(notes.empty());
  REQUIRE(runs.size() == 6);
  CHECK(runs[0].folder == one);
  CHECK(runs[0].index == 0);
  CHECK(runs[0].state == RunState::Finished);
  CHECK(runs[0].n_items == 3U);
  CHECK(runs[0].plan == "baseline");
  CHECK(runs[0].model == "meta-llama/Llama-3.1-8B");
  CHECK(runs[0].date.size() == 16);
  CHECK(runs[1].state == RunState::Unfinished);
  CHECK(runs[1].n_items == 2U);
  CHECK(runs[1].n_wanted == 3U);
  CHECK(runs[2].folder == two);
  CHECK(runs[3].state == RunState::Running);
  CHECK_THAT(runs[3].finding, ContainsSubstring("process "));
  CHECK(runs[4].state == RunState::Damaged);
  CHECK_FALSE(runs[4].index);
  CHECK_THAT(runs[4].finding, ContainsSubstring("manifest.json: not JSON"));
  CHECK(runs[5].state == RunState::Finished);
  CHECK(runs[5].n_items == 3U);

  // A shorter log is seen by its size, another byte when all are read.
  const std::string text = read_file(one / "indexed_metrics.yml");
  write_file(one / "indexed_metrics.yml", text.substr(0, text.size() - 1));
  CHECK(list_runs(one, Verify::Sizes, notes)[0].state == RunState::Damaged);
  std::string changed = text;
  changed[text.size() / 2] ^= 1;
  write_file(one / "indexed_metrics.yml", changed);
  CHECK(list_runs(one, Verify::Sizes, notes)[0].state == RunState::Finished);
  CHECK(list_runs(one, Verify::Bytes, notes)[0].state == RunState::Damaged);
  CHECK_THROWS_AS(list_runs(folder.path() / "none", Verify::Sizes, notes), labelprobe::ConfigError);
}

// How an item's id is taken apart follows from the run, not from the item.
ItemRecord without_form(ItemRecord item) {
  item.known_form = nullptr;
  return item;
}

TEST_CASE("A run is looked at item by item, finished or not", "[run_list]") {
  const labelprobe::support::TempFolder folder;
  const fs::path out = finish(request_of(folder.path(), 0, "one"));
  Run::open(request_of(folder.path(), 1, "one"))
      .append(std::vector<ItemRecord>{make_item("b"), make_item("b__r")});

  const RunView whole = RunView::open(out, 0);
  CHECK(whole.unfinished().empty());
  CHECK(whole.keys() == kListedKeys);
  CHECK(without_form(whole.read(1)) == without_form(read_run(out, 0).items[1]));
  REQUIRE(whole.votes("b").size() == 1);
  CHECK(whole.votes("b")[0].first == "r");
  CHECK(whole.votes("b")[0].second == std::vector<std::string>{"joy"});
  CHECK(whole.votes("a").empty());

  const RunView part = RunView::open(out);
  CHECK(part.unfinished() == "unfinished");
  CHECK(part.n_wanted() == 3U);
  CHECK(part.keys() == std::vector<std::string>{"b", "b__r"});
  CHECK(without_form(part.read(0)) == make_item("b"));
  CHECK(part.votes("b").size() == 1);
}

TEST_CASE("The votes of a run with its annotators set apart are found", "[run_list]") {
  const labelprobe::support::TempFolder folder;
  RunRequest request = request_of(folder.path(), 0, "one");
  request.layout = labelprobe::record::kPlainLayout;
  const fs::path out = finish(request);
  const RunView view = RunView::open(out);
  CHECK(view.keys() == std::vector<std::string>{"a", "b"});
  REQUIRE(view.votes("b").size() == 1);
  CHECK(view.votes("b")[0].first == "r");
  CHECK(view.votes("a").empty());
  fs::remove(out / "annotator_preds.yml");
  CHECK_THROWS_WITH(view.votes("b"), ContainsSubstring("annotator_preds.yml: experiment_0 was "));
}
