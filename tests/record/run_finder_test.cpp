#include "labelprobe/record/run_finder.h"

#include <fstream>

#include "labelprobe/core/error.h"
#include "labelprobe/record/run.h"

#include "record/items.h"
#include "support/catch.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
}

// A log as the published program leaves it.
void add_run(const fs::path& folder) {
  write(folder / "indexed_metrics.yml", "experiment_0:\n  a:\n    test_gt: []\n");
}

TEST_CASE("Finds the last finished run of a model under each plan", "[run_finder]") {
  const support::TempFolder logs;
  const fs::path list = logs.path() / "MFRC" / "main";
  add_run(list / "baseline" / "org--model_0");
  add_run(list / "baseline" / "org--model_2");
  add_run(list / "baseline" / "other_7");
  write(list / "baseline" / "org--model_9" / "indexed_metrics.yml", "");
  write(list / "baseline" / "org--model_3" / "indexed_metrics.yml", "experiment_0: {}\n");
  write(list / "baseline" / "org--model_3" / "manifest.json",
        R"({"format": 1, "not_comparable": [], "params": {}, "experiments": [{"index": 0,
            "state": "writing", "params_changed": {}, "params_absent": [],
            "contents_fingerprint": "", "sizes": {}}]})");
  RunQuery query{logs.path(), "MFRC", "main", "org/model", {"baseline", "unary"}};
  const FoundRuns found = find_runs(query);
  CHECK(found.folders == std::vector<fs::path>{list / "baseline" / "org--model_2"});
  REQUIRE(found.notes.size() == 2);
  CHECK_THAT(found.notes[1], ContainsSubstring("missing: no finished run ") &&
                                 ContainsSubstring("unary/org--model_<k>"));

  query.model = "org/modle";
  CHECK_THROWS_AS(find_runs(query), ConfigError);
  CHECK_THROWS_WITH(find_runs(query), ContainsSubstring("there are: org--model, other") &&
                                          ContainsSubstring("did you mean 'org--model'?"));
  query.model = "";
  CHECK_THROWS_WITH(find_runs(query), ContainsSubstring("expected --model to choose one"));
  query.id_list = "mian";
  CHECK_THROWS_WITH(find_runs(query), ContainsSubstring("no such folder; id lists with runs in") &&
                                          ContainsSubstring(": main"));
  query.id_list = "";
  CHECK_THROWS_WITH(find_runs(query), ContainsSubstring("expected run folders, or --id-list"));
}

TEST_CASE("Without a name the only model there is is found", "[run_finder]") {
  const support::TempFolder logs;
  const fs::path list = logs.path() / "MFRC" / "main";
  add_run(list / "unary" / "only_1");
  const RunQuery query{logs.path(), "MFRC", "main", "", {"baseline", "unary"}};
  CHECK(find_runs(query).folders == std::vector<fs::path>{list / "unary" / "only_1"});
}

}  // namespace
}  // namespace labelprobe::record
