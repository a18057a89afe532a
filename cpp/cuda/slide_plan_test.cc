#include "cuda/slide_plan.h"

#include <gtest/gtest.h>

#include <vector>

#include "kernels/test_support.h"

namespace tlsc::cuda {
namespace {

constexpr size_t kSumBytes = 16;

const std::vector<DeviceLimits>& Cards() {
  static const std::vector<DeviceLimits> cards = {
      {40, 64 << 10}, {108, 163 << 10}, {132, 227 << 10}, {1, 48 << 10}, {16, 1 << 10}};
  return cards;
}

// That tasks tile the outputs of every plane, and that each keeps within its memory.
void ExpectTiles(const NchwShape& shape, const KernelShape& kernel_shape, Padding padding,
                 const DeviceLimits& card) {
  const Window window = MakeWindow(shape, kernel_shape, padding);
  const size_t planes = shape.batch * shape.channels;
  const SlidePlan plan = MakeSlidePlan(window, planes, kSumBytes, card);
  if (plan.in_shared) {
    EXPECT_LE(plan.shared_bytes(kSumBytes), card.shared_bytes);
  }
  size_t covered = 0;
  SlideTask before = {};
  for (size_t block = 0; block < plan.blocks(); ++block) {
    const SlideTask task = plan.TaskOf(block);
    ASSERT_LT(task.plane, planes);
    ASSERT_LT(task.row_begin, task.row_end);
    ASSERT_LE(task.row_end, window.vertical.outputs);
    ASSERT_LT(task.column_begin, task.column_end);
    ASSERT_LE(task.column_end, window.horizontal.outputs);
    // Each begins where the one before it ends: beside it, in a new band, or in a new plane.
    if (block > 0) {
      if (task.column_begin > 0) {
        ASSERT_EQ(task.column_begin, before.column_end);
        ASSERT_EQ(task.row_begin, before.row_begin);
      } else if (task.row_begin > 0) {
        ASSERT_EQ(task.row_begin, before.row_end);
        ASSERT_EQ(task.plane, before.plane);
      } else {
        ASSERT_EQ(task.plane, before.plane + 1);
      }
    }
    const WindowAxis& across = window.horizontal;
    const size_t columns = across.PositionOf(task.column_end - 1) -
                           across.PositionOf(task.column_begin) + across.window;
    ASSERT_LE(columns, plan.pitch);
    covered += (task.row_end - task.row_begin) * (task.column_end - task.column_begin);
    before = task;
  }
  EXPECT_EQ(covered, planes * window.vertical.outputs * window.horizontal.outputs);
}

TEST(SlidePlan, TilesTheOutputsOnce) {
  for (const DeviceLimits& card : Cards()) {
    for (const Padding padding : {Padding::kReplicate, Padding::kValid}) {
      for (const WindowCase& c : WindowCases()) {
        ExpectTiles({2, 3, c.height, c.width}, c.kernel_shape, padding, card);
      }
      ExpectTiles({1, 64, 720, 1280}, {384, 384}, padding, card);
      ExpectTiles({1, 1, 2160, 3840}, {384, 384}, padding, card);
      ExpectTiles({1, 2, 100, 20000}, {9000, 9000}, padding, card);
      ExpectTiles({1, 1, 1, 1}, {1, 1}, padding, card);
    }
  }
}

TEST(SlidePlan, FillsALargeCardWithOnePlane) {
  const NchwShape shape = {1, 1, 2160, 3840};
  const Window window = MakeWindow(shape, {384, 384}, Padding::kReplicate);
  const SlidePlan plan = MakeSlidePlan(window, 1, 8, {132, 227 << 10});
  EXPECT_GE(plan.blocks(), size_t{132} / 2);
  EXPECT_TRUE(plan.in_shared);
  // Two blocks at a time.
  EXPECT_LE(2 * plan.shared_bytes(8), size_t{227} << 10);
}

TEST(SlidePlan, GoesToScratchWhereNothingFits) {
  const NchwShape shape = {1, 1, 64, 20000};
  const Window window = MakeWindow(shape, {64, 15000}, Padding::kReplicate);
  EXPECT_FALSE(MakeSlidePlan(window, 1, kSumBytes, {40, 64 << 10}).in_shared);
}

}  // namespace
}  // namespace tlsc::cuda
