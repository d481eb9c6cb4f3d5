// What the same command goes on with, and what it starts over.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "record/commands.h"
#include "record/folder/journal.h"
#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::record {
namespace {

namespace fs = std::filesystem;
using support::contents_of;
using support::read_file;

TEST_CASE("Finished items are not computed again", "[resume]") {
  const support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  {
    Run run = Run::open(request);
    const std::vector<ItemRecord> batch = {make_item("c"), make_item("a")};
    run.append(batch);
  }
  CHECK(preview(request).n_finished == 2);
  CHECK(preview(request).experiment_index == 0);
  CHECK(preview(make_request(folder.path(), 1)).experiment_index == 1);
  CHECK(preview(make_request(folder.path(), 1)).n_finished == 0);
  {
    Run run = Run::open(request);
    CHECK(run.finished().at("c") == make_item("c"));
    CHECK(run.finished().size() == 2);
    REQUIRE(run.notes().size() == 1);
    CHECK_THAT(run.notes()[0], ContainsSubstring("took up experiment_0 with 2 finished items"));
  }
  CHECK(run_command(request) == 2);
}

TEST_CASE("A finished run is not computed again, nor is anything written", "[resume]") {
  const support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  CHECK(run_command(request) == 4);
  const auto before = contents_of(folder.path());
  CHECK(run_command(request) == 0);
  CHECK(differences(contents_of(folder.path()), before) == "");
  request.if_finished = IfFinished::Append;
  CHECK(run_command(request) == 4);
  CHECK(preview(request).experiment_index == 2);
}

TEST_CASE("What another contents left unfinished is not taken for a finished run", "[resume]") {
  const support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  run_command(request);
  request.contents["prompts"] = "contents-2";
  const ItemRecord item = make_item("a");
  Run::open(request).append({&item, 1});
  CHECK(preview(request).experiment_index == 1);
  CHECK(preview(request).n_finished == 1);
  // The contents of the first run are back, and so is what it finished.
  CHECK(preview(make_request(folder.path())).is_finished);
  request.contents["prompts"] = "contents-3";
  CHECK(preview(request).experiment_index == 1);
  CHECK(preview(request).n_finished == 0);
}

TEST_CASE("A setting and seed count once in the means, however often they were run", "[resume]") {
  const support::TempFolder once;
  const support::TempFolder often;
  run_command(make_plain_request(once.path(), 1));
  run_command(make_plain_request(once.path(), 0));
  for (const std::int64_t seed : {0, 1, 0}) {
    RunRequest request = make_plain_request(often.path(), seed);
    request.if_finished = IfFinished::Append;
    run_command(request);
  }
  const fs::path folder = preview(make_plain_request(once.path())).folder;
  for (const char* name : {"aggregated_metrics.yml", "aggregated_indexed_metrics.yml",
                           "aggregated_annotator_metrics.yml"}) {
    CAPTURE(name);
    CHECK(read_file(often.path() / folder.lexically_relative(once.path()) / name) ==
          read_file(folder / name));
  }
}

TEST_CASE("Changed contents set the journal aside", "[resume]") {
  const support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  const ItemRecord item = make_item("a");
  fs::path out;
  for (int n = 0; n < 2; ++n) {
    Run run = Run::open(request);
    CHECK(run.finished().empty());
    CHECK(run.experiment_index() == 0);
    run.append({&item, 1});
    out = run.folder();
    request.contents["prompts"] += "+";
  }
  CHECK(preview(request).n_finished == 0);
  CHECK(fs::exists(out / "journal_0.jsonl.stale-0"));
  const Run run = Run::open(request);
  CHECK(fs::exists(out / "journal_0.jsonl.stale-1"));
  REQUIRE(run.notes().size() == 1);
  CHECK_THAT(run.notes()[0],
             ContainsSubstring("starts over: changed since it was interrupted: prompts;") &&
                 ContainsSubstring("journal_0.jsonl.stale-1"));
}

TEST_CASE("A failed item may be tried again", "[resume]") {
  const support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  ItemRecord failed = make_item("a");
  failed.failure = "out of memory";
  Run::open(request).append({&failed, 1});
  Run run = Run::open(request);
  CHECK(run.finished().at("a").failure == "out of memory");
  const ItemRecord item = make_item("a");
  run.append({&item, 1});
  const std::string key = "a";
  run.finish({&key, 1}, std::nullopt, {});
  const auto log = YAML::LoadFile((run.folder() / "indexed_metrics.yml").string());
  CHECK_FALSE(log["experiment_0"]["a"]["test_failure"]);
}

TEST_CASE("Damaged lines of a journal are computed again, and the end is the same", "[resume]") {
  const support::TempFolder whole;
  run_command(make_request(whole.path()));
  const auto wanted = contents_of(whole.path());
  const std::size_t n_bytes = 3 * encode_item(make_item("a")).size();
  for (std::size_t at = 0; at + 100 < n_bytes; at += 97) {
    const support::TempFolder folder;
    const RunRequest request = make_request(folder.path());
    fs::path journal;
    {
      Run run = Run::open(request);
      const std::vector<ItemRecord> items = {make_item("a"), make_item("c"), make_item("d")};
      run.append(items);
      journal = run.folder() / "journal_0.jsonl";
    }
    std::string text = read_file(journal);
    text[at] = static_cast<char>(text[at] ^ 4);
    std::ofstream(journal, std::ios::binary) << text;
    INFO("byte " << at);
    {
      const Run run = Run::open(request);
      REQUIRE(run.finished().size() >= 1);
      REQUIRE(run.finished().size() <= 2);
      CHECK_THAT(run.notes()[0], ContainsSubstring("took out damaged lines (") &&
                                     ContainsSubstring("their items are computed again"));
    }
    run_command(request);
    REQUIRE(differences(contents_of(folder.path()), wanted) == "");
  }
}

TEST_CASE("What does not decide numbers does not decide whether to go on", "[resume]") {
  const support::TempFolder folder;
  RunRequest request = make_request(folder.path());
  const ItemRecord item = make_item("a");
  Run::open(request).append({&item, 1});
  param_of(request, "logging_level").value = std::string("info");
  request.description = "named";
  CHECK(Run::open(request).finished().size() == 1);
  // What does is named.
  request.params.push_back({"logs_precision", std::int64_t{4}, false});
  const Run run = Run::open(request);
  CHECK(run.experiment_index() == 1);
  REQUIRE(run.notes().size() == 1);
  CHECK(run.notes()[0] ==
        "experiment_0 is unfinished and not gone on with: logs_precision is unset there and 4 "
        "here");
}

TEST_CASE("A folder whose manifest or numbers are damaged is passed over, and only that",
          "[resume]") {
  for (const char* name : {"manifest.json", "numbers.yml"}) {
    const support::TempFolder folder;
    run_command(make_plain_request(folder.path(), 0));
    const fs::path out = preview(make_plain_request(folder.path(), 0)).folder;
    const std::string text = read_file(out / name);
    for (std::size_t n = 0; n + 1 < text.size(); n += 1 + text.size() / 40) {
      std::ofstream(out / name, std::ios::binary) << text.substr(0, n);
      INFO(name << " cut to " << n);
      const auto seen = preview(make_plain_request(folder.path(), 1));
      REQUIRE(seen.folder != out);
      REQUIRE(seen.notes.size() == 1);
      REQUIRE_THAT(seen.notes[0], ContainsSubstring("passed over " + out.string() + ": ") &&
                                      ContainsSubstring(name) &&
                                      ContainsSubstring("restore the file, or move its folder"));
    }
    CHECK(run_command(make_plain_request(folder.path(), 1)) == static_cast<int>(kKeys.size()));
    std::ofstream(out / name, std::ios::binary) << text;
    CHECK(preview(make_plain_request(folder.path(), 0)).is_finished);
  }
}

TEST_CASE("A journal put back later takes nothing from the experiments after it", "[resume]") {
  const support::TempFolder folder;
  run_command(make_request(folder.path(), 0));
  run_command(make_request(folder.path(), 1));
  const fs::path out = preview(make_request(folder.path(), 0)).folder;
  std::ofstream(out / "journal_0.jsonl").flush();
  run_command(make_request(folder.path(), 0));
  CHECK(YAML::LoadFile((out / "indexed_metrics.yml").string()).size() == 2);
  CHECK_FALSE(fs::exists(out / "journal_0.jsonl"));
}

TEST_CASE("Earlier experiments keep their bytes", "[resume]") {
  const support::TempFolder folder;
  run_command(make_request(folder.path()));
  const fs::path out = preview(make_request(folder.path(), 1)).folder;
  const std::string first = read_file(out / "indexed_metrics.yml");
  const auto manifest_bytes = fs::file_size(out / "manifest.json");
  for (int seed = 1; seed < 20; ++seed) {
    run_command(make_request(folder.path(), seed));
  }
  CHECK(read_file(out / "indexed_metrics.yml").starts_with(first));
  // Only what differs is stored per experiment.
  CHECK(fs::file_size(out / "manifest.json") < manifest_bytes + 19 * 1000);
}

TEST_CASE("A journal of an earlier version is set aside, not continued", "[resume]") {
  const support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  { Run::open(request); }
  const fs::path out = preview(request).folder;
  // As the version before label steps left them.
  nlohmann::json manifest = nlohmann::json::parse(read_file(out / "manifest.json"));
  manifest["format"] = 1;
  manifest["experiments"][0].erase("record_version");
  manifest["experiments"][0].erase("provenance");
  std::ofstream(out / "manifest.json") << manifest;
  std::ofstream(out / "journal_0.jsonl")
      << R"({"all_scores":[],"annotator":"aggregate","failure":null,"gold":["joy"],)"
      << R"("is_label_found":false,"key":"a","kind":"multi","label_logits":[],)"
      << R"("n_prompt_tokens":3,"outs":"x","outs_id_index":1,"outs_ids":[7],"predictions":[],)"
      << R"("prefix_outs":null,"prompt_fingerprint":"00ff","query_text":"t","residual_outs":"",)"
      << R"("scores":[["joy",0.5]],"top_tokens":[]})" << std::endl;
  CHECK(preview(request).experiment_index == 0);
  CHECK(preview(request).n_finished == 0);
  {
    const Run run = Run::open(request);
    CHECK(run.experiment_index() == 0);
    CHECK(run.finished().empty());
    REQUIRE(run.notes().size() == 1);
    CHECK_THAT(run.notes()[0], ContainsSubstring("another version of the program") &&
                                   ContainsSubstring("journal_0.jsonl.stale-0"));
  }
  CHECK(run_command(request) == static_cast<int>(kKeys.size()));
  CHECK(nlohmann::json::parse(read_file(out / "manifest.json"))["format"] == 3);
}

TEST_CASE("The manifest names each kind of process that computed items, once", "[resume]") {
  const support::TempFolder folder;
  const RunRequest request = make_request(folder.path());
  Provenance made{.program = program_version(),
                  .backend = "libtorch 2.11.0",
                  .device = "cpu",
                  .device_name = "a processor, 2 CPU threads",
                  .dtype = "float32",
                  .quantization = "none",
                  .generation = "answers end at token 2, repetition_penalty 1.05",
                  .model_fingerprint = "0a",
                  .tokenizer_fingerprint = "0b",
                  .prompts_fingerprint = "0c",
                  .data_files = {{"data/train.tsv", "0d"}}};
  Run::open(request).add_provenance(made);
  Run::open(request).add_provenance(made);
  made.device = "cuda:0";
  Run::open(request).add_provenance(made);
  CHECK(run_command(request) == static_cast<int>(kKeys.size()));
  const fs::path out = preview(request).folder;
  const auto manifest = nlohmann::json::parse(read_file(out / "manifest.json"));
  const auto& listed = manifest["experiments"][0]["provenance"];
  REQUIRE(listed.size() == 2);
  CHECK(listed[0]["device"] == "cpu");
  CHECK(listed[0]["generation"] == made.generation);
  CHECK(listed[1]["device"] == "cuda:0");
  CHECK(listed[1]["data_files"]["data/train.tsv"] == "0d");
  CHECK_THAT(listed[0]["program"].get<std::string>(), Catch::Matchers::StartsWith("0.2.0"));
  // It stays when the folder gets another experiment.
  run_command(make_request(folder.path(), 1));
  CHECK(nlohmann::json::parse(read_file(out / "manifest.json"))["experiments"][0]["provenance"] ==
        listed);
  // Earlier versions did not note the settings of generation.
  auto older = nlohmann::json::parse(read_file(out / "manifest.json"));
  older["format"] = 2;
  older["experiments"][0]["provenance"][0].erase("generation");
  std::ofstream(out / "manifest.json") << older;
  run_command(make_request(folder.path(), 2));
  const auto newer = nlohmann::json::parse(read_file(out / "manifest.json"));
  CHECK(newer["experiments"].size() == 3);
  CHECK(newer["experiments"][0]["provenance"][0]["generation"] == "");
}

}  // namespace
}  // namespace labelprobe::record
