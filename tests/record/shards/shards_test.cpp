// Shards as they lie on disk: begun together, killed anywhere, joined by what does not belong.
#include "labelprobe/record/shards.h"

#include <csignal>

#include <sys/wait.h>
#include <unistd.h>

#include "labelprobe/core/error.h"
#include "labelprobe/record/run_list.h"
#include "labelprobe/record/run_view.h"

#include "record/commands.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

namespace fs = std::filesystem;
using support::TempFolder;

ShardPlan make_plan(const fs::path& root, int n_shards = 2) {
  ShardPlan plan;
  plan.request = make_request(root);
  plan.request.contents = {{"prompts", "p"}, {"model", "m"}};
  plan.n_shards = n_shards;
  plan.keys = kKeys;
  plan.shard_of = {1, 1, 2, 2};
  plan.scoring = R"({"plan":"baseline"})";
  return plan;
}

// A whole command for one shard.
void do_shard(const ShardPlan& plan, int shard, const files::Disk::BeforeStep& before_step = {}) {
  auto log = ShardLog::open(plan, shard, before_step);
  REQUIRE(log);
  if (log->was_finished()) return;
  for (const std::string& key : plan.keys_of(shard)) {
    if (log->finished().contains(key)) continue;
    const ItemRecord item = make_item(key);
    log->append({&item, 1});
  }
  log->finish();
}

}  // namespace

TEST_CASE("A shard that is killed at any change on disk goes on with what it has", "[resume]") {
  int n = 0;
  for (bool is_killed = true; is_killed; ++n) {
    CAPTURE(n);
    const TempFolder logs;
    const ShardPlan plan = make_plan(logs.path());
    const pid_t child = ::fork();
    if (child == 0) {
      int n_left = n;
      do_shard(plan, 2, [&](std::string_view) {
        if (n_left-- == 0) ::kill(::getpid(), SIGKILL);
      });
      ::_exit(0);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    is_killed = WIFSIGNALED(status);
    do_shard(plan, 2);
    do_shard(plan, 1);
    const ShardSet set = ShardSet::open(shards_folder(plan.request));
    CHECK_NOTHROW(set.check_complete());
    for (const int shard : {1, 2}) {
      const auto items = set.items_of(shard);
      REQUIRE(items.size() == 2);
      for (const auto& [key, item] : items) CHECK(item == make_item(key));
    }
  }
  CHECK(n > 15);
}

TEST_CASE("A plan comes back as it was, with every kind of parameter", "[unit]") {
  const TempFolder logs;
  ShardPlan plan = make_plan(logs.path());
  plan.request.params.push_back({"real", 0.1, false, 3, Bearing::Process});
  plan.request.params.push_back({"endless", std::numeric_limits<double>::infinity()});
  plan.request.params.push_back({"list", std::vector<std::string>{"a", "b"}});
  plan.request.params.push_back({"unset", std::monostate{}});
  plan.request.if_finished = IfFinished::Append;
  plan.rows.push_back({"hidden_states", "states", {2, 3}, {{"layer", {0, -1}}}, "format 1"});
  do_shard(plan, 1);
  const ShardPlan read = ShardSet::open(shards_folder(plan.request)).plan();
  REQUIRE(read.request.params.size() == plan.request.params.size());
  for (std::size_t i = 0; i < read.request.params.size(); ++i) {
    CAPTURE(read.request.params[i].name);
    CHECK(read.request.params[i].value == plan.request.params[i].value);
    CHECK(read.request.params[i].name_priority == plan.request.params[i].name_priority);
    CHECK(read.request.params[i].bearing == plan.request.params[i].bearing);
    CHECK(read.request.params[i].is_comparable == plan.request.params[i].is_comparable);
  }
  CHECK(read.request.log_root == plan.request.log_root);
  CHECK(read.request.contents == plan.request.contents);
  CHECK(read.request.if_finished == IfFinished::Append);
  CHECK(read.request.alternative_name == plan.request.alternative_name);
  CHECK(read.keys == plan.keys);
  CHECK(read.shard_of == plan.shard_of);
  REQUIRE(read.rows.size() == 1);
  CHECK(read.rows[0].shape == plan.rows[0].shape);
  CHECK(read.rows[0].notes == plan.rows[0].notes);
}

TEST_CASE("A shard that does not belong to the others is refused with what differs", "[unit]") {
  const TempFolder logs;
  const ShardPlan plan = make_plan(logs.path());
  do_shard(plan, 1);
  ShardPlan other = make_plan(logs.path(), 3);
  CHECK_THROWS_AS(ShardLog::open(other, 2), ConfigError);
  CHECK_THROWS_WITH(
      ShardLog::open(other, 2),
      ContainsSubstring("is being made in 2 shards, found one of 3; give --shard i/2"));
  other = plan;
  other.request.contents["model"] = "another";
  CHECK_THROWS_WITH(ShardLog::open(other, 2),
                    ContainsSubstring("were begun with other contents; changed since: model. Put"));
  other = plan;
  other.shard_of = {1, 2, 2, 2};
  CHECK_THROWS_WITH(ShardLog::open(other, 2), ContainsSubstring("begun with other items"));
  // What is no other run joins; what is one has shards of its own.
  other = plan;
  param_of(other.request, "logging_level").value = std::string("debug");
  CHECK(shards_folder(other.request) == shards_folder(plan.request));
  param_of(other.request, "seed").value = std::int64_t{99};
  CHECK(shards_folder(other.request) != shards_folder(plan.request));
}

TEST_CASE("Shards that are missing, at work or damaged are told apart", "[unit]") {
  const TempFolder logs;
  const ShardPlan plan = make_plan(logs.path());
  do_shard(plan, 1);
  const fs::path folder = shards_folder(plan.request);
  const ShardSet set = ShardSet::open(folder);
  CHECK_THROWS_AS(set.check_complete(), DataError);
  CHECK_THROWS_WITH(set.check_complete(),
                    ContainsSubstring("1 of 2 shards are finished; left: 2 (not begun); give the "
                                      "run's command with --shard i/2 of each"));
  {
    auto log = ShardLog::open(plan, 2);
    const ItemRecord item = make_item("d");
    log->append({&item, 1});
    CHECK_THROWS_AS(set.check_complete(), files::LockedError);
    CHECK_THROWS_WITH(set.check_complete(), ContainsSubstring("left: 2 (1 of 2 items, process ") &&
                                                ContainsSubstring(", is at it)"));
    std::vector<std::string> notes;
    const std::vector<ListedRun> runs = list_runs(logs.path(), Verify::Sizes, notes);
    REQUIRE(runs.size() == 1);
    CHECK(runs[0].state == RunState::Running);
    CHECK(runs[0].n_items == 3);
    CHECK(runs[0].n_wanted == 4);
    CHECK_THAT(runs[0].shards, ContainsSubstring("1 of 2 finished; left: 2 (1 of 2 items"));
    const RunView view = RunView::open(folder);
    CHECK(view.keys().size() == 3);
    CHECK(view.title() == folder.string());
    CHECK(view.read(0) == make_item(view.keys()[0]));
    // Its folder goes away under it.
    fs::rename(set.folder_of(2), logs.path() / "moved");
    CHECK_THROWS_WITH(log->append({&item, 1}),
                      ContainsSubstring("was moved, deleted or taken over"));
    fs::rename(logs.path() / "moved", set.folder_of(2));
  }
  do_shard(plan, 2);
  CHECK_NOTHROW(set.check_complete());
  // A byte of a finished shard changes: it is not finished any more, and what it lacks is redone.
  const fs::path journal = set.folder_of(1) / "journal.jsonl";
  std::string text = support::read_file(journal);
  text[text.size() / 2] = static_cast<char>(text[text.size() / 2] ^ 1);
  support::write_file(journal, text);
  CHECK(set.shards()[0].state == ShardState::Unfinished);
  CHECK_THROWS_AS(set.check_complete(), DataError);
  {
    const auto again = ShardLog::open(plan, 1);
    CHECK_FALSE(again->was_finished());
    REQUIRE_FALSE(again->notes().empty());
    CHECK_THAT(again->notes()[0], ContainsSubstring("was changed since shard 1 of 2 was finished"));
  }
  do_shard(plan, 1);
  CHECK_NOTHROW(set.check_complete());
  set.remove();
  CHECK_FALSE(fs::exists(folder));
  CHECK_THROWS_WITH(ShardSet::open(folder), ContainsSubstring("expected the shards of a run"));
}

TEST_CASE("A damaged plan is refused by name", "[unit]") {
  const TempFolder logs;
  const ShardPlan plan = make_plan(logs.path());
  do_shard(plan, 1);
  const fs::path file = shards_folder(plan.request) / "shards.json";
  support::write_file(file, support::read_file(file).substr(0, 100));
  CHECK_THROWS_AS(ShardSet::open(file.parent_path()), DataError);
  CHECK_THROWS_WITH(ShardLog::open(plan, 2), ContainsSubstring("not the plan of a run's shards"));
  std::vector<std::string> notes;
  CHECK(list_runs(logs.path(), Verify::Sizes, notes).at(0).state == RunState::Damaged);
}

}  // namespace labelprobe::record
