#include "app/options/installed_files.h"

#include "support/catch.h"
#include "support/files.h"
#include "support/paths.h"

namespace labelprobe::app {
namespace {

struct FileSettings {
  std::string root;
  std::string out;
  std::vector<std::string> ids;
};

// What a program has that is installed in a folder of the test.
class Tree {
 public:
  Tree() {
    for (const char* name : {"configs/Set/config.yaml", "prob_distr_ids/Set/list.txt"}) {
      const std::filesystem::path path = folder_.path() / name;
      std::filesystem::create_directories(path.parent_path());
      support::write_file(path, "x");
    }
  }
  std::filesystem::path path() const { return folder_.path(); }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }

 private:
  support::TempFolder folder_;
};

TEST_CASE("What the working folder lacks is taken from the installed files, and said", "[unit]") {
  const Tree tree;
  InstalledFiles installed(tree.path());
  CHECK(installed.find("configs/Set/config.yaml") == tree.path("configs/Set/config.yaml"));
  CHECK(installed.find("prob_distr_ids/Set") == tree.path("prob_distr_ids/Set"));
  installed.find("configs/Set/config.yaml");
  CHECK(installed.describe() == "not in this folder, taken from " +
                                    tree.path("").substr(0, tree.path("").size() - 1) +
                                    ": configs/Set/config.yaml, prob_distr_ids/Set");
}

TEST_CASE("Other paths, and those that lead elsewhere, stay as they were given", "[unit]") {
  const Tree tree;
  InstalledFiles installed(tree.path());
  const std::string text(300, 'x');
  for (const std::string& path :
       {std::string(), std::string("configs/Set/none.yaml"), std::string("Set/config.yaml"),
        std::string("configs/../configs/Set/config.yaml"), tree.path("configs/Set/config.yaml"),
        "configs/" + text}) {
    CHECK(installed.find(path) == path);
  }
  CHECK(installed.describe().empty());
  CHECK(InstalledFiles(std::filesystem::path()).find("configs/Set") == "configs/Set");
}

TEST_CASE("A file of the working folder wins over the installed one", "[unit]") {
  const Tree tree;
  const Tree here;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(here.path());
  const std::string found = InstalledFiles(tree.path()).find("configs/Set/config.yaml");
  std::filesystem::current_path(before);
  CHECK(found == "configs/Set/config.yaml");
}

TEST_CASE("Options that name what is read find installed files, those that are written do not",
          "[unit]") {
  const Tree tree;
  FileSettings settings;
  OptionList options;
  options.add(settings.root, {.name = "root_dir"});
  options.add(settings.out, {.name = "out"});
  options.add(settings.ids, {.name = "test_ids_filename"});
  GivenValues given = {{"root_dir", {{"configs/Set"}, "--root-dir"}},
                       {"out", {{"configs/Set"}, "--out"}},
                       {"test_ids_filename", {{"prob_distr_ids/Set/list.txt", "mine.txt"}, "x"}}};
  InstalledFiles(tree.path()).find_all(options, given);
  CHECK(given["root_dir"].values == std::vector{tree.path("configs/Set")});
  CHECK(given["out"].values == std::vector<std::string>{"configs/Set"});
  CHECK(given["test_ids_filename"].values ==
        std::vector<std::string>{tree.path("prob_distr_ids/Set/list.txt"), "mine.txt"});
}

}  // namespace
}  // namespace labelprobe::app
