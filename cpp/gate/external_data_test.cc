#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include "gate/test_models.h"

namespace tlsc::gate {
namespace {

namespace fs = std::filesystem;

class GateExternalData : public testing::Test {
 protected:
  GateExternalData() {
    folder_ = fs::temp_directory_path() / ("tlsc_gate_" + std::to_string(std::random_device()()));
    fs::create_directories(folder_ / "model" / "sub");
    for (const char* name : {"secret.bin", "model/w.bin", "model/sub/v.bin"}) {
      std::ofstream(folder_ / name) << std::string(32, 'w');
    }
  }
  ~GateExternalData() override { fs::remove_all(folder_); }

  Verdict JudgeTensor(const Proto& tensor) {
    return Judge(Model(Graph({kRelu}).Add(5, tensor)), (folder_ / "model").string());
  }

  fs::path folder_;
};

TEST_F(GateExternalData, LiesInTheFolder) {
  EXPECT_EQ(JudgeTensor(External("w.bin")).message, "");
  EXPECT_EQ(JudgeTensor(External("sub/v.bin", 4, "16", "16")).message, "");
  ExpectRefused(JudgeTensor(External("gone.bin")), Reason::kMissingFile, "no such file");
  ExpectRefused(JudgeTensor(External("sub")), Reason::kMissingFile, "no such file");
  for (const char* outside : {"../secret.bin", "sub/../../secret.bin", "/etc/passwd", "C:\\w.bin",
                              "\\\\host\\w.bin", "..\\secret.bin", ".."}) {
    ExpectRefused(JudgeTensor(External(outside)), Reason::kInvalid, "outside the model's folder");
  }
  ExpectRefused(JudgeTensor(External("*/_ORT_MEM_ADDR_/*")), Reason::kInvalid, "not a file");
  ExpectRefused(JudgeTensor(External(std::string("w.bin\0x", 7))), Reason::kInvalid, "not a file");
  ExpectRefused(JudgeTensor(External("")), Reason::kInvalid, "a file without a name");
}

TEST_F(GateExternalData, LinksMustNotLeadOut) {
  std::error_code error;
  fs::create_symlink("../secret.bin", folder_ / "model" / "link.bin", error);
  if (error) GTEST_SKIP() << "links cannot be made here";
  fs::create_symlink("w.bin", folder_ / "model" / "alias.bin");
  ExpectRefused(JudgeTensor(External("link.bin")), Reason::kInvalid, "a link out of");
  EXPECT_EQ(JudgeTensor(External("alias.bin")).message, "");
}

TEST_F(GateExternalData, LiesWithinTheFile) {
  ExpectRefused(JudgeTensor(External("w.bin", 9)), Reason::kInvalid, "ends at 32 bytes, not 36");
  ExpectRefused(JudgeTensor(External("w.bin", 4, "17")), Reason::kInvalid, "ends at 32 bytes");
  for (const char* wrong : {"-1", "1e3", "", "9999999999999999", " 1"}) {
    ExpectRefused(JudgeTensor(External("w.bin", 4, wrong)), Reason::kInvalid, "it needs 16");
    ExpectRefused(JudgeTensor(External("w.bin", 4, "0", wrong)), Reason::kInvalid, "it needs 16");
  }
  ExpectRefused(JudgeTensor(External("w.bin", 4, "0", "12")), Reason::kInvalid, "it needs 16");
  ExpectRefused(JudgeTensor(External("w.bin", int64_t{1} << 62)), Reason::kInvalid, "ends at 32");
  ExpectRefused(JudgeTensor(External("w.bin").Add(2, int64_t{8})), Reason::kInvalid, "of its type");
}

TEST_F(GateExternalData, IsFoundEverywhere) {
  const auto refused = [](const Proto& model) {
    ExpectRefused(Judge(model), Reason::kNeedsFolder, "option externalDataFolder");
  };
  const Proto attribute = Proto().Add(1, "value").Add(5, External("w.bin"));
  const Proto constant = Node("Constant", {}, {"c"}).Add(5, attribute);
  const Proto sparse = Proto().Add(1, External("w.bin")).Add(3, int64_t{4});
  refused(Model(Graph({kRelu}).Add(5, External("w.bin"))));
  refused(Model(Graph({kRelu}).Add(15, sparse)));
  refused(Model(Graph({constant})));
  refused(Model(Graph({NodeAround(Graph({constant}), {"z"})})));
  refused(Model(Graph({NodeAround(Graph({kRelu}).Add(5, External("w.bin")), {"z"})})));
  refused(Model(Graph({kRelu}), {Function("F", {constant})}));
  refused(Model(Graph({kRelu}), {Function("F", {kRelu}).Add(11, attribute)}));
  refused(Model(Graph({Node("Constant", {}, {"c"}).Add(5, Proto().Add(1, "s").Add(22, sparse))})));
}

}  // namespace
}  // namespace tlsc::gate
